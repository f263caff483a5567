"""The grammar of SMART scopes, both versions."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.resource_types import R4_TYPES
from fhir_mappings.smart_scopes import ALL_RIGHTS, Scope, parse_scope, parse_scopes

CONTEXTS = ("patient", "user", "system")
RIGHTS = ["".join(letter for bit, letter in enumerate(ALL_RIGHTS) if mask >> bit & 1) for mask in range(1, 32)]
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
NAMES = st.text(VISIBLE, min_size=1, max_size=12)


def _scope(context: str, type_: str, rights: str, *parameters: tuple[str, str]) -> Scope:
    return Scope(context=context, type=type_, rights=frozenset(rights), parameters=parameters)


@pytest.mark.requirement("SM-02")
@given(
    context=st.sampled_from(CONTEXTS),
    type_=st.sampled_from(["*", *sorted(R4_TYPES)]),
    rights=st.sampled_from(RIGHTS),
    parameters=st.lists(st.tuples(NAMES, st.text(VISIBLE + "é ", max_size=12)), max_size=3),
)
def test_what_was_written_is_read(context: str, type_: str, rights: str, parameters: list[tuple[str, str]]) -> None:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)
    text = f"{context}/{type_}.{rights}" + (f"?{query}" if query else "")
    assert parse_scope(text) == _scope(context, type_, rights, *parameters)


@pytest.mark.requirement("SM-02")
@given(text=st.text() | st.from_regex(r"\A(patient|user|system)/[A-Z*][a-z]*\.[cruds*]{0,6}(\?[ -~]*)?\Z"))
def test_no_text_raises_and_what_is_read_is_of_the_grammar(text: str) -> None:
    found = parse_scope(text)
    if found is not None:
        assert found.context in CONTEXTS
        assert found.rights
        assert found.rights <= set(ALL_RIGHTS)
        assert found.type == "*" or found.type in R4_TYPES
    assert isinstance(parse_scopes(text), tuple)


@pytest.mark.requirement("SM-02")
@pytest.mark.parametrize("type_", ["*", "Observation"])
@pytest.mark.parametrize(("first", "second"), [("read", "rs"), ("write", "cud"), ("*", "cruds")])
def test_the_first_version_means_letters_of_the_second(type_: str, first: str, second: str) -> None:
    assert (
        parse_scope(f"user/{type_}.{first}") == parse_scope(f"user/{type_}.{second}") == _scope("user", type_, second)
    )


@pytest.mark.requirement("SM-02")
@pytest.mark.parametrize(
    "text",
    [
        "user/Observation.dus",  # the letters stand in their order
        "user/Observation.sr",
        "user/Observation.rr",
        "user/Observation.",
        "user/Observation",
        "user/Observation.readwrite",
        "user/Observation.Read",
        "user/Spaceship.rs",
        "user/observation.rs",
        "user/Observation,Patient.rs",
        "user/*Observation.rs",
        "User/Observation.rs",
        "group/Observation.rs",
        " user/Observation.rs",
        "user/Observation.rs\n",
        "user/Observation.rs?",
        "user/Observation.rs?category",
        "user/Observation.rs?category=a#b",
        "user/Observation.read?category=a",  # the first version has no parameters
        "user/Observation.*?category=a",
        "user/Observation.rs?" + "a=b&" * 300 + "a=b",
        "openid",
        "fhirUser",
        "launch/patient",
        "offline_access",
        "",
    ],
)
def test_what_is_no_scope_allows_nothing(text: str) -> None:
    assert parse_scope(text) is None


@pytest.mark.requirement("SM-02")
def test_parameters_are_those_of_a_search() -> None:
    category = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    asked = f"patient/Observation.rs?category={category}&status=final"
    assert parse_scope(asked) == _scope("patient", "Observation", "rs", ("category", category), ("status", "final"))
    assert parse_scope("user/Observation.rs?code=a%26b%3Dc+d") == _scope(
        "user", "Observation", "rs", ("code", "a&b=c d")
    )


@pytest.mark.requirement("SM-02")
def test_scopes_come_in_one_text_or_several_and_each_counts_once() -> None:
    both = (_scope("user", "Patient", "rs"), _scope("system", "*", "cruds"))
    assert parse_scopes("openid user/Patient.rs  system/*.* user/Patient.read") == both
    assert parse_scopes(["user/Patient.rs", "system/*.cruds", "launch"]) == both
    assert parse_scopes("") == parse_scopes([]) == ()


def test_a_scope_speaks_of_its_type_or_of_all() -> None:
    assert _scope("user", "*", "r").covers("Patient")
    assert _scope("user", "Patient", "r").covers("Patient")
    assert not _scope("user", "Patient", "r").covers("Observation")
    assert not _scope("user", "Patient", "r").covers("*")
