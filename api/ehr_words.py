"""This file says in plain words what a failure of an EHR means, from the name of the error's type. No values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ehr.errors import Conflict, KeysNotUsable, NoToken, NotPermitted, NotThere, Refused, TooLarge, Unavailable
from fhir_mappings.bundle import BundleRejected
from store.errors import PatientConflict
from store.write_backs import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrFailure:
    """What it is in few words, and what the EHR does where a patient was to be fetched, with what can be done.

    `writing` are the few words where it came of a write-back, if others are needed.
    """

    kind: str
    fetching: str
    writing: str = ""


FAILURES: Final[Mapping[str, EhrFailure]] = MappingProxyType(
    {
        NotPermitted.__name__: EhrFailure(
            kind="not permitted",
            fetching="does not permit us to read this patient. Ask there for an access that does",
        ),
        NotThere.__name__: EhrFailure(
            kind="not there",
            fetching="has no such patient. Look whether the addresses and identifiers known here are those it uses",
        ),
        TooLarge.__name__: EhrFailure(
            kind="answer too large",
            fetching="sends more than is read here. FILLERTRACE_EHR_MAX_BYTES allows more",
        ),
        NoToken.__name__: EhrFailure(
            kind="no token",
            fetching="gives us no token: its SMART configuration or its token endpoint cannot be used; the worker's "
            "log says which. Without FILLERTRACE_EHR_CLIENT_IDS it is asked without a token",
        ),
        KeysNotUsable.__name__: EhrFailure(
            kind="our keys cannot be used",
            fetching="cannot be asked for a token with our keys. Look at FILLERTRACE_EHR_KEY_SET",
        ),
        Refused.__name__: EhrFailure(
            kind="answer not usable",
            fetching="refused, or its answer cannot be used; the worker's log says which. Have that mended there",
            writing="the worker's log says why",
        ),
        Unavailable.__name__: EhrFailure(
            kind="not reachable",
            fetching="gives no answer for now: away, busy, or yet to learn our keys; the worker's log says which",
        ),
        Conflict.__name__: EhrFailure(
            kind="changed meanwhile",
            fetching="says again and again that something has changed. Wait a while",
        ),
        BundleRejected.__name__: EhrFailure(
            kind="record not readable",
            fetching="sends a record that cannot be read. Have that mended there",
        ),
        PatientConflict.__name__: EhrFailure(
            kind="another patient",
            fetching="sends a record of another patient, or one that would mix two. Compare their identifiers, birth "
            "date and sex there and here",
        ),
    }
)


def standing_words(standing: Standing, *, version: int) -> str:
    """How a version of a report stands on an EHR; where a newer one followed it, how that one stands."""
    failure = FAILURES.get(standing.error_type or "")
    because = (failure.writing or failure.kind) if failure else standing.error_type
    words = ": ".join(filter(None, [standing.outcome or "waiting", because]))
    return words if standing.version == version else f"version {standing.version}: {words}"
