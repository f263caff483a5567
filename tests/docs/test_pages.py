"""What the pages show is what the program does: excerpts, commands, links."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.service import Service

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page for page in ROOT.rglob("*.md") if not {".venv", "target", "build", "node_modules"} & set(page.parts)
)
COMMAND = str(Path(sys.executable).with_name("fillertrace"))


def readme_blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_worksheet_in_the_readme_is_what_is_printed() -> None:
    """Every line of the excerpt stands in the worksheet, in this order; `…` stands for what was left out."""
    arguments = ["correlate", "tests/examples/cases/V01.bundle.json", "--format", "worksheet", "--as-of", "2026-11-23"]
    printed = subprocess.run([COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = iter(printed.splitlines())
    excerpt = next(block for block in readme_blocks("text") if "FILLERTRACE WORKSHEET" in block)
    for wanted in excerpt.splitlines():
        if wanted.strip() not in ("", "…") and not wanted.startswith("attribution: "):
            assert any(line == wanted for line in lines), f"not printed, or not in this place: {wanted!r}"


def test_the_commands_in_the_readme_run(tmp_path: Path) -> None:
    console = "".join(readme_blocks("console")).replace("\\\n", " ")
    commands = [line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ ")]
    curl = next(command for command in commands if command.startswith("curl "))
    correlate = next(command for command in commands if ".venv/bin/fillertrace correlate" in command)
    done = subprocess.run(
        [COMMAND, *shlex.split(correlate, comments=True)[1:]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "FILLERTRACE WORKSHEET" in done.stdout
    with Service("serve", "--port", "0", "--data", str(tmp_path / "data"), folder=tmp_path) as service:
        asked = shlex.split(curl.replace("http://127.0.0.1:8080/fhir", service.base_url), comments=True)
        answer = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert '"DiagnosticReport"' in answer
    verbs = set(re.findall(r"make ([a-z-]+)", console))
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert verbs
    assert verbs <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []
