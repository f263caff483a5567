"""docs/tutorial-hapi.md, done as a newcomer does it: its first command in one terminal, the rest in another."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import processes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial-hapi.md").read_text(encoding="utf-8")
TEN_MINUTES = 600
LONGEST_STEP = 240


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def addresses(tmp_path: Path) -> Iterator[str]:
    """What the first command prints: the two addresses, as the second block of the page sets them."""
    (command,) = (line.removeprefix("$ ") for line in blocks("console")[0].splitlines())
    # In a terminal Ctrl-C works, also where these tests were started in the background, which ignores it.
    shell = ["env", "--default-signal=INT", "bash", "-c", f"exec {command}"]
    terminal = processes.spawn(shell, log=tmp_path / "log", piped=True, directory=ROOT)
    assert terminal.stdout is not None
    lines = processes.LineReader(terminal.stdout)
    found: dict[str, str] = {}
    line = ""
    while "left running" not in line:
        line = lines.next_line(LONGEST_STEP)
        if named := re.match(r"(HAPI|Fillertrace): +(http://\S+)", line):
            found[named[1].upper()] = named[2]
    yield "".join(f"{name}={address}\n" for name, address in found.items())
    os.killpg(terminal.pid, signal.SIGINT)  # Ctrl-C goes to all that run in a terminal
    try:
        terminal.wait(30)
    finally:
        processes.stop(terminal, signal.SIGKILL, 0)


@pytest.mark.timeout(TEN_MINUTES)
def test_a_newcomer_has_a_signed_report_in_hapi_within_ten_minutes(addresses: str, tmp_path: Path) -> None:
    begun = time.monotonic()
    names, *steps = blocks("sh")
    assert re.sub(r"http\S+", "", names).split() == re.sub(r"http\S+", "", addresses).split()
    script = "\n".join(["set -euo pipefail", addresses, *steps]).replace(".venv/bin", f"{ROOT}/.venv/bin")
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_STEP, check=False
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    (promised,) = blocks("text")
    assert promised.partition("…")[0].strip() in said
    assert re.search(r"version [2-9] · Act on the alerts first: .*high calcium", said)
    assert "signed, and final in HAPI" in said
    assert "FILLERTRACE WORKSHEET" in said
    assert time.monotonic() - begun < LONGEST_STEP
