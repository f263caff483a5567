"""Seeded mutations of FHIR Bundles: most know the structure they break, a few break the bytes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Json = Any
Mutation = Callable[[dict[str, Json], random.Random], None]

ODD_VALUES: tuple[Json, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    10**400,
    0.1,
    "",
    " ",
    "x" * 70_000,
    "\u202eright to left\u0000",
    "𝔘𝔫𝔦 😀",
    [],
    {},
    [[]],
    [None],
    {"a": {"b": []}},
    "2026-02-30",
    "0000-00-00",
    "9999-12-31T23:59:60Z",
    "1800",
    "Patient/1",
    "urn:uuid:",
    "#",
    "http://[::1",
    "Patient?identifier=a|b",
    "../../../etc/passwd",
    "$(true)",
    "'; --",
    "%00",
    "\\ud800",
)
BUNDLE_TYPES = ("transaction", "batch", "collection", "searchset", "document", "message", "history", "nonsense")
METHODS = ("POST", "PUT", "DELETE", "GET", "PATCH", "HEAD", "post", "")
KNOWN_FIELDS = (
    "status",
    "code",
    "subject",
    "identifier",
    "effectiveDateTime",
    "performedPeriod",
    "valueQuantity",
    "component",
    "contained",
    "extension",
    "meta",
    "text",
    "bodySite",
    "series",
    "presentedForm",
)


def mutated(bundle: dict[str, Json], chance: random.Random) -> bytes:
    """A copy of the bundle with one to five things broken, as bytes."""
    broken = copy.deepcopy(bundle)
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        chance.choice(_STRUCTURAL)(broken, chance)
    raw = json.dumps(broken, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    return chance.choice(_OF_BYTES)(raw, chance) if chance.random() < 0.1 else raw


def _places(value: Json) -> Iterator[tuple[Json, Json]]:
    """Every (container, key) below a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield value, key
        yield from _places(item)


def _anywhere(bundle: dict[str, Json], chance: random.Random) -> tuple[Json, Json]:
    return chance.choice(list(_places(bundle)) or [(bundle, "resourceType")])


def _objects(bundle: dict[str, Json]) -> list[dict[str, Json]]:
    return [bundle, *(box[key] for box, key in _places(bundle) if isinstance(box[key], dict))]


def _entries(bundle: dict[str, Json]) -> list[Json]:
    entries = bundle.get("entry")
    return entries if isinstance(entries, list) else []


def _resources(bundle: dict[str, Json]) -> list[dict[str, Json]]:
    found = [entry.get("resource") for entry in _entries(bundle) if isinstance(entry, dict)]
    return [resource for resource in found if isinstance(resource, dict)]


def _take_away(bundle: dict[str, Json], chance: random.Random) -> None:
    box, key = _anywhere(bundle, chance)
    if isinstance(box, dict):
        box.pop(key, None)
    else:
        del box[key]


def _odd(chance: random.Random) -> Json:
    return copy.deepcopy(chance.choice(ODD_VALUES))  # a shared list could be put inside itself


def _odd_value(bundle: dict[str, Json], chance: random.Random) -> None:
    box, key = _anywhere(bundle, chance)
    box[key] = _odd(chance)


def _wrap(bundle: dict[str, Json], chance: random.Random) -> None:
    box, key = _anywhere(bundle, chance)
    box[key] = chance.choice(([box[key]], {"value": box[key]}, [box[key], box[key]]))


def _swap(bundle: dict[str, Json], chance: random.Random) -> None:
    one, first = _anywhere(bundle, chance)
    other, second = _anywhere(bundle, chance)
    # Copies: a value put inside itself would have no end.
    one[first], other[second] = copy.deepcopy(other[second]), copy.deepcopy(one[first])


def _graft(bundle: dict[str, Json], chance: random.Random) -> None:
    target, source = chance.choice(_objects(bundle)), chance.choice(_objects(bundle))
    target[chance.choice(KNOWN_FIELDS)] = copy.deepcopy(source)


def _unknown_field(bundle: dict[str, Json], chance: random.Random) -> None:
    chance.choice(_objects(bundle))[chance.choice(("surprise", "_status", "resourceType", "fhir_comments"))] = _odd(
        chance
    )


def _nest(bundle: dict[str, Json], chance: random.Random) -> None:
    deep: Json = {"url": "urn:x", "valueString": "end"}
    for _ in range(chance.choice((5, 20, 28, 40))):
        deep = {"url": "urn:x", "extension": [deep]}
    chance.choice(_objects(bundle))["extension"] = [deep]


def _references(bundle: dict[str, Json], chance: random.Random) -> None:
    named = [box for box, key in _places(bundle) if key == "reference" and isinstance(box, dict)]
    urls = [entry.get("fullUrl") for entry in _entries(bundle) if isinstance(entry, dict)]
    if named:
        chance.choice(named)["reference"] = chance.choice(
            [*urls, "#", "#x", "Patient/none", "urn:uuid:none", "Patient/1/_history/2", "Observation?code=x", 7]
        )


def _double_entry(bundle: dict[str, Json], chance: random.Random) -> None:
    entries = _entries(bundle)
    if entries:
        entries.insert(chance.randrange(len(entries) + 1), copy.deepcopy(chance.choice(entries)))


def _shuffle(bundle: dict[str, Json], chance: random.Random) -> None:
    chance.shuffle(_entries(bundle))


def _bundle_type(bundle: dict[str, Json], chance: random.Random) -> None:
    bundle["type"] = chance.choice(BUNDLE_TYPES)


def _request(bundle: dict[str, Json], chance: random.Random) -> None:
    for entry in _entries(bundle):
        if isinstance(entry, dict) and chance.random() < 0.5:
            kind = (
                entry.get("resource", {}).get("resourceType") if isinstance(entry.get("resource"), dict) else "Patient"
            )
            entry["request"] = {
                "method": chance.choice(METHODS),
                "url": chance.choice((kind, f"{kind}/1", f"{kind}?identifier=a|b", "", "//", None)),
                "ifNoneExist": chance.choice(("identifier=a|b", "?", "=&=", "_id=1", "code=%", None)),
                "ifMatch": chance.choice(('W/"1"', "W/", "*", 3, None)),
            }


def _full_url(bundle: dict[str, Json], chance: random.Random) -> None:
    for entry in _entries(bundle):
        if isinstance(entry, dict) and chance.random() < 0.5:
            entry["fullUrl"] = chance.choice(("urn:uuid:1", "urn:oid:1.2.3", "Patient/1", "http://x/", None, "", 5))


def _another_type(bundle: dict[str, Json], chance: random.Random) -> None:
    resources = _resources(bundle)
    if resources:
        chance.choice(resources)["resourceType"] = chance.choice(
            ("Patient", "Observation", "ImagingStudy", "Bundle", "Parameters", "Binary", "Nonsense", "DiagnosticReport")
        )


def _bundle_in_bundle(bundle: dict[str, Json], chance: random.Random) -> None:
    _entries(bundle).append({"resource": copy.deepcopy(bundle)})


_STRUCTURAL: tuple[Mutation, ...] = (
    *(_take_away, _odd_value) * 4,
    *(_references, _wrap, _swap, _graft) * 2,
    _unknown_field,
    _nest,
    _double_entry,
    _shuffle,
    _bundle_type,
    _request,
    _full_url,
    _another_type,
    _bundle_in_bundle,
)


def _cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw))]


def _flip(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]


def _double_key(raw: bytes, chance: random.Random) -> bytes:
    return raw.replace(b'"resourceType":', b'"resourceType": "Patient", "resourceType":', chance.randrange(1, 4))


def _very_deep(raw: bytes, _: random.Random) -> bytes:
    return raw.replace(b'"resourceType":', b'"deep": ' + b"[" * 5000 + b"]" * 5000 + b', "resourceType":', 1)


def _byte_order_mark(raw: bytes, _: random.Random) -> bytes:
    return b"\xef\xbb\xbf" + raw


def _other_encoding(raw: bytes, chance: random.Random) -> bytes:
    return raw.decode("utf-8", "replace").encode(chance.choice(("utf-16", "latin-1")), "replace")


_OF_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut,
    _flip,
    _double_key,
    _very_deep,
    _byte_order_mark,
    _other_encoding,
)
