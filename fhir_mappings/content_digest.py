"""This file digests what matters in a report, so that the same facts and the same answers never make a new version.

It covers the facts on the timeline and the answers, not the words around them: left out are when it was made, ids and
versions of resources, the knowledge edition, and sentences that change with the calendar ("412 days old").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from json import dumps
from typing import Any, Final

from correlation.assessment import Answer, Assessment, CauseAssessment
from correlation.timeline import ResourceRef

_AS_IT_IS: Final = frozenset({str, int, bool})


def content_digest(assessment: Assessment) -> str:
    """SHA-256, in hex, over the facts and the answers."""
    content = {
        "attribution": _plain(assessment.attribution),
        "findings": [
            [finding.finding.key, finding.attribution.value, *(_category(cause) for cause in finding.differential)]
            for finding in assessment.findings
        ],
        "causes": [
            [_category(cause), *(_answer(answer) for answer in cause.answers)] for cause in assessment.differential
        ],
        "alerts": sorted(alert.code for alert in assessment.alerts),
        "facts": {
            field.name: _facts(getattr(assessment.timeline, field.name)) for field in fields(assessment.timeline)
        },
    }
    return sha256(dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _category(cause: CauseAssessment) -> str:
    return f"{cause.cause} {cause.category.value}"


def _answer(answer: Answer) -> str:
    return f"{answer.question} {answer.reply.value} {answer.strength.value}"


def _facts(value: object) -> Any:
    """Facts of one kind in an order that does not depend on how they arrived."""
    plain = _plain(value)
    return sorted(plain, key=lambda fact: dumps(fact, sort_keys=True)) if isinstance(plain, list) else plain


def _plain(value: Any) -> Any:
    """Plain JSON of a fact. The commonest types are asked for first, as a long history holds tens of thousands."""
    if value is None or type(value) in _AS_IT_IS:
        return value
    if type(value) is tuple:
        return [_plain(item) for item in value]
    if isinstance(value, ResourceRef):
        return value.type
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _number(value)
    if is_dataclass(value):
        return [_plain(getattr(value, name)) for name in value.__dataclass_fields__]
    if isinstance(value, frozenset | set):
        return sorted(_plain(item) for item in value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value]


def _number(value: Decimal) -> str:
    """2.350 and 2.35 are the same result."""
    return str(value.normalize())
