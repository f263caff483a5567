"""The servers we call: settings that cannot be meant are refused by name, and no more is asked for than is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ehr.settings import EhrSettings

SERVERS = ("main=https://ehr.example/fhir/", "other=http://10.0.0.5:8080/fhir")
SECRET = "a-secret-of-more-than-thirty-two-letters"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"servers": ("https://ehr.example/fhir",)}, "servers are name=value"),
        ({"servers": ("main=https://a.example", "main=https://b.example")}, "stands once"),
        ({"servers": ("Main=https://a.example",)}, "small letters"),
        ({"servers": ("main=ftp://a.example",)}, "an address such as"),
        ({"servers": ("main=https://a.example?x=1",)}, "an address such as"),
        ({"write_back": ("third",)}, "write_back names a server"),
        ({"subscribe": ("third",)}, "subscribe names a server"),
        ({"client_ids": ("third=us",)}, "client_ids names a server"),
        ({"client_ids": ("main=us",)}, "key_set"),
        ({"token_urls": ("third=https://login.example/token",)}, "token_urls names a server"),
        ({"token_urls": ("main=login.example/token",)}, "an address such as"),
        ({"notify_url": "https://us.example"}, "notify_secret"),
        ({"notify_secret": "short"}, "22 to 128"),
        ({"notify_secret": "with/a/slash/in/it/and/long/enough"}, "22 to 128"),
        ({"poll_seconds": 0.0}, "poll_seconds must be more than zero"),
        ({"ca_file": Path("/nowhere/ca.pem")}, "ca_file cannot be read"),
        ({"ca_file": Path(__file__)}, "ca_file cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        EhrSettings(**{"servers": SERVERS, **change})


def test_servers_are_known_by_their_names() -> None:
    settings = EhrSettings(
        servers=SERVERS,
        client_ids=("main=us",),
        token_urls=("main=https://login.example/token?tenant=1",),
        key_set=Path("keys.json"),
        write_back=("other",),
    )
    main, other = settings.known_servers().values()
    assert (main.token_url, other.token_url) == ("https://login.example/token?tenant=1", None)
    assert (main.base_url, main.client_id, other.client_id) == ("https://ehr.example/fhir", "us", None)
    assert settings.write_back_bases() == {"other": "http://10.0.0.5:8080/fhir"}


def test_no_more_is_asked_for_than_is_needed() -> None:
    reading = EhrSettings(servers=SERVERS)
    writing = EhrSettings(servers=SERVERS, write_back=("main",))
    told = EhrSettings(servers=SERVERS, subscribe=("main",), notify_url="https://us.example", notify_secret=SECRET)
    asking = EhrSettings(servers=SERVERS, subscribe=("main",))
    assert {one.scope_for("main") for one in (reading, asking)} == {"system/*.rs"}
    assert writing.scope_for("other") == "system/*.rs"
    assert writing.scope_for("main").split()[1:] == [
        f"system/{type_}.cruds" for type_ in ("DiagnosticReport", "Observation", "Provenance", "Device", "Organization")
    ]
    assert told.scope_for("main") == "system/*.rs system/Subscription.cruds"
    assert (
        EhrSettings(servers=SERVERS, scope="system/*.cruds", write_back=("main",)).scope_for("main") == "system/*.cruds"
    )
