"""`fillertrace demo` goes the way of any client, and there is no other path."""

import json
from pathlib import Path

from tests.unit.cli.command import fillertrace


def test_the_demo_solves_the_published_case(tmp_path: Path) -> None:
    done = fillertrace("demo", folder=tmp_path, settings={"TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[-1] == "attribution: explained  top: filler_caha"
    report = json.loads((tmp_path / "demo-output/report.json").read_bytes())
    assert report["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"
    assert (tmp_path / "demo-output/report.html").read_text().lstrip().startswith("<")
    assert str(tmp_path / "demo-output/report.html") in done.stdout.decode()


def test_without_redis_it_fails(tmp_path: Path) -> None:
    nowhere = {"FILLERTRACE_REDIS_URL": f"unix://{tmp_path}/nowhere.sock"}
    done = fillertrace("demo", folder=tmp_path, settings=nowhere)
    assert done.returncode == 1
    assert b"Redis" in done.stderr
    assert not (tmp_path / "demo-output").exists()
