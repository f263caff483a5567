from typing import Any

import pytest

from api.access.caller import OPEN_CALLER, Caller
from api.access.errors import AccessNotPossible
from api.access.guard import check_access
from api.access.loopback import is_loopback
from api.settings import ApiSettings
from fhir_mappings.smart_scopes import parse_scopes

SMART: dict[str, Any] = {
    "access": "smart",
    "issuer": "https://ehr.example/auth",
    "audience": "https://correlate.example/fhir",
}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "localhost", "::1", "[::1]"])
def test_open_access_is_given_on_loopback(host: str) -> None:
    check_access(ApiSettings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "my-laptop"])
def test_open_access_is_given_nowhere_else(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(AccessNotPossible, match="loopback"):
        check_access(ApiSettings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "192.168.1.4"])
def test_smart_access_is_given_on_any_address_under_a_name_of_its_own(host: str) -> None:
    check_access(ApiSettings(host=host, **SMART))
    nameless = {**SMART, "audience": "a-client-id"}
    check_access(ApiSettings(host=host, base_url="https://correlate.example/fhir", **nameless))
    if host != "127.0.0.1":
        with pytest.raises(AccessNotPossible, match="FILLERTRACE_API_BASE_URL"):
            check_access(ApiSettings(host=host, **nameless))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"access": "shut"}, "open or smart"),
        ({"issuer": None}, "FILLERTRACE_API_ISSUER"),
        ({"audience": None}, "FILLERTRACE_API_AUDIENCE"),
        ({"issuer": "http://ehr.example/auth"}, "FILLERTRACE_EHR_ALLOW"),
        ({"issuer": "http://127.0.0.1:9"}, "FILLERTRACE_EHR_ALLOW"),
        ({"issuer": "ehr.example"}, "FILLERTRACE_API_ISSUER must begin with https"),
        ({"issuer": "https://[ehr.example/auth"}, "FILLERTRACE_API_ISSUER"),
        ({"issuer": "https://ehr.example:port/auth"}, "FILLERTRACE_API_ISSUER"),
        ({"issuer": "https://ehr.example/auth?realm=1"}, "FILLERTRACE_API_ISSUER"),
        ({"issuer": "https://me:secret@ehr.example/auth"}, "FILLERTRACE_API_ISSUER"),
        ({"jwks_url": "http://ehr.example/jwks"}, "FILLERTRACE_API_JWKS_URL"),
        ({"jwks_url": "file:///etc/jwks"}, "FILLERTRACE_API_JWKS_URL"),
        ({"token_url": "http://ehr.example/token"}, "FILLERTRACE_API_TOKEN_URL"),
        ({"authorize_url": "/authorize"}, "FILLERTRACE_API_AUTHORIZE_URL"),
        (
            {
                "introspection_url": "http://ehr.example/introspect",
                "introspection_client_id": "a",
                "introspection_client_secret": "b",
            },
            "FILLERTRACE_API_INTROSPECTION_URL",
        ),
    ],
)
def test_the_service_does_not_start_with_an_issuer_that_cannot_be_trusted(change: dict[str, str], says: str) -> None:
    with pytest.raises(AccessNotPossible, match=says) as refused:
        check_access(ApiSettings(**{**SMART, **change}), plain_hosts=frozenset({"auth.hospital.internal"}))
    assert "secret" not in str(refused.value)


def test_an_issuer_without_tls_is_one_that_the_settings_name() -> None:
    settings = ApiSettings(**{**SMART, "issuer": "http://auth.hospital.internal:8080/realms/one"})
    check_access(settings, plain_hosts=frozenset({"auth.hospital.internal"}))


@pytest.mark.parametrize(
    "settings",
    [
        {"keys_seconds": 0},
        {"requests_per_minute": -1},
        {"introspection_url": "https://ehr.example/introspect"},
        {"introspection_client_id": "a", "introspection_client_secret": "b"},
    ],
)
def test_settings_of_access_that_mean_nothing_are_refused_by_name(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings)).partition("_")[0]):
        ApiSettings(**settings)


def test_who_owns_a_job_is_told_by_client_subject_and_patient_and_nothing_else() -> None:
    named = [
        (client, subject, patient) for client in ("a", "ab") for subject in (None, "b", "") for patient in (None, "b")
    ]
    callers = [Caller(client_id=one, subject=two, patient=three, verified=True) for one, two, three in named]
    assert len({caller.identity for caller in callers}) == len(named)
    again = Caller(client_id="a", user="Practitioner/1", scopes=parse_scopes("user/*.rs"), verified=True)
    assert again.identity == callers[0].identity
    assert OPEN_CALLER.identity == "open"
    assert Caller(client_id="open", verified=True).identity != "open"
