import json
from pathlib import Path
from typing import Any

import pytest

from tests.examples import CASES, SYNTHEA, case_bytes
from tests.unit.cli.command import fillertrace

RESULT = "https://fillertrace.example/fhir/CodeSystem/result"
NOT_JSON = b'{"resourceType": "Bundle"'


def _line(record: bytes) -> bytes:
    return json.dumps(json.loads(record)).encode()


def _attribution(bundle: dict[str, Any]) -> str:
    resources = [entry["resource"] for entry in bundle["entry"]]
    first = next(one for one in resources if one["resourceType"] == "Observation")
    code: str = first["valueCodeableConcept"]["coding"][0]["code"]
    return code


def _causes(bundle: dict[str, Any]) -> list[str]:
    codings = [
        coding
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation"
        for coding in entry["resource"]["code"]["coding"]
    ]
    return [coding["code"] for coding in codings if coding["system"].endswith("/cause")]


@pytest.mark.parametrize("case", ["V01", "V01-text", "V02"])
def test_the_published_case_is_explained(case: str) -> None:
    done = fillertrace("correlate", str(CASES / f"{case}.bundle.json"))
    assert done.returncode == 0, done.stderr
    bundle = json.loads(done.stdout)
    assert bundle["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"
    assert (_attribution(bundle), _causes(bundle)[0]) == ("explained", "filler_caha")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "worksheet"), "Attribution: EXPLAINED"),
        (("--format", "worksheet", "--language", "es"), "Atribución: EXPLICADO"),
        (("--format", "worksheet", "--language", "es-MX"), "hidroxiapatita de calcio"),
        (("--format", "html", "--language", "es"), '<html lang="es">'),
        (("--language", "es"), '"language":"es"'),
        (("--ndjson", "--language", "es"), "se explican probablemente por"),
    ],
)
def test_the_answer_is_in_the_language_asked_for(arguments: tuple[str, ...], words: str) -> None:
    done = fillertrace("correlate", "-", *arguments, given=_line(case_bytes("V01")))
    assert done.returncode == 0, done.stderr
    assert words.encode() in done.stdout


def test_a_language_without_words_is_wrong_usage() -> None:
    done = fillertrace("correlate", "-", "--language", "fr", given=case_bytes("V01"))
    assert done.returncode == 2
    assert b"no words for --language fr" in done.stderr


def test_a_day_fixes_the_clock() -> None:
    runs = [fillertrace("correlate", "-", "--as-of", "2026-01-31", given=case_bytes("V01")) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    assert json.loads(runs[0].stdout)["entry"][0]["resource"]["issued"].startswith("2026-01-31")


def test_worksheet_and_page() -> None:
    text = fillertrace("correlate", "-", "--format", "worksheet", given=case_bytes("V01"))
    assert b"filler_caha" in text.stdout or b"hydroxylapatite" in text.stdout
    page = fillertrace("correlate", "-", "--format", "html", given=case_bytes("V01"))
    assert page.stdout.lstrip().lower().startswith((b"<!doctype html", b"<html"))
    assert b"<script" not in page.stdout


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (NOT_JSON, "not-json"),
        (b"[]", "not-a-bundle"),
        (b'{"resourceType":"Bundle","type":"collection"}', "empty-bundle"),
        (b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation"}}]}', "no-patient"),
    ],
)
def test_a_refused_bundle_is_exit_3_with_an_outcome(record: bytes, detail: str) -> None:
    done = fillertrace("correlate", "-", given=record)
    assert done.returncode == 3
    outcome = json.loads(done.stdout)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == detail
    assert detail in done.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        ("correlate",),
        ("correlate", "-", "--format", "pdf"),
        ("correlate", "-", "--as-of", "yesterday"),
        ("correlate", "-", "--ndjson", "--format", "html"),
        ("correlate", "-", "--processes", "2"),
        ("correlate", "/nowhere/at/all.json"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_exit_2(arguments: tuple[str, ...]) -> None:
    done = fillertrace(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr


@pytest.mark.parametrize("processes", ["1", "2"])
def test_one_line_out_for_each_line_in_and_in_order(processes: str) -> None:
    records = [_line(case_bytes("V01")), NOT_JSON, _line(case_bytes("V02")), b"", *[_line(case_bytes("V03"))] * 20]
    done = fillertrace("correlate", "-", "--ndjson", "--processes", processes, given=b"\n".join(records) + b"\n")
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [answer["resourceType"] for answer in answers]
    assert kinds == ["Bundle", "OperationOutcome", "Bundle", "OperationOutcome", *["Bundle"] * 20]
    assert _attribution(answers[0]) == "explained"
    assert b"line 2: not-json" in done.stderr
    assert b"line 4: not-json" in done.stderr


def test_all_lines_usable_is_exit_0() -> None:
    assert fillertrace("correlate", "-", "--ndjson", given=_line(case_bytes("V01")) + b"\n").returncode == 0


def test_real_shaped_patients_without_reports_are_taken_calmly(tmp_path: Path) -> None:
    lines = tmp_path / "patients.ndjson"
    lines.write_bytes(b"".join(_line(file.read_bytes()) + b"\n" for file in sorted(SYNTHEA.glob("*.json"))))
    done = fillertrace("correlate", str(lines), "--ndjson")
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        bundle = json.loads(line)
        first = bundle["entry"][0]["resource"]
        if first["resourceType"] == "DiagnosticReport":
            assert _attribution(bundle) == "indeterminate"
        else:
            assert first["resourceType"] == "OperationOutcome"
