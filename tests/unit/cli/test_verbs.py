import pytest

from cli.main import VERBS
from tests.unit.cli.command import fillertrace


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_helps_with_an_example(verb: str) -> None:
    done = fillertrace(verb, "--help")
    assert done.returncode == 0
    assert b"example" in done.stdout
    assert b"fillertrace" in done.stdout


def test_the_command_alone_lists_its_verbs() -> None:
    done = fillertrace()
    assert done.returncode == 0
    assert all(verb.encode() in done.stdout for verb in VERBS)


def test_settings_are_shown_and_secrets_are_not() -> None:
    secret = {"FILLERTRACE_DATABASE_URL": "postgresql://me:hunter2@db/fillertrace", "FILLERTRACE_API_PORT": "9000"}
    done = fillertrace("settings", settings=secret)
    assert done.returncode == 0, done.stderr
    assert b"FILLERTRACE_API_PORT=9000" in done.stdout
    assert b"hunter2" not in done.stdout
    assert b"FILLERTRACE_WORKERS_LOG_LEVEL=INFO" in done.stdout


@pytest.mark.parametrize("verb", ["settings", "serve", "api", "worker"])
def test_a_mistyped_setting_stops_the_start(verb: str) -> None:
    done = fillertrace(verb, settings={"FILLERTRACE_API_PROT": "1", "FILLERTRACE_STORAGE_X": "1"})
    assert done.returncode == 2
    assert b"FILLERTRACE_" in done.stderr


@pytest.mark.parametrize("verb", ["api", "worker"])
def test_the_parts_alone_need_to_be_told_where_record_and_queue_are(verb: str) -> None:
    done = fillertrace(verb)
    assert done.returncode == 2
    assert b"FILLERTRACE_DATABASE_URL" in done.stderr


SMART = {
    "FILLERTRACE_API_ACCESS": "smart",
    "FILLERTRACE_API_ISSUER": "http://auth.example",  # without TLS
    "FILLERTRACE_API_AUDIENCE": "https://correlate.example/fhir",
}


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        (("--host", "0.0.0.0"), {}, b"loopback"),
        ((), {"FILLERTRACE_API_ACCESS": "smart"}, b"needs FILLERTRACE_API_ISSUER"),
        ((), SMART, b"FILLERTRACE_EHR_ALLOW"),
        ((), {**SMART, "FILLERTRACE_EHR_ALOW": "auth.example"}, b"FILLERTRACE_EHR_ALOW is not a setting"),
        (("--port", "70000"), {}, b"0 to 65535"),
        (("--workers", "0"), {}, b"1 to 64"),
    ],
)
def test_serve_refuses_what_would_not_be_safe(
    arguments: tuple[str, ...], settings: dict[str, str], says: bytes
) -> None:
    done = fillertrace("serve", *arguments, settings=settings)
    assert done.returncode == 2
    assert says in done.stderr


def test_the_knowledge_base_is_checked_and_rendered() -> None:
    checked = fillertrace("knowledge", "check")
    assert checked.returncode == 0, checked.stderr
    assert b"filler_caha" in fillertrace("knowledge", "render").stdout
