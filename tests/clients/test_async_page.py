"""The examples of docs/api/async.md are run as they stand, and answer what the page shows."""

import re
import subprocess
from pathlib import Path

from tests.servers.service import Service

ROOT = Path(__file__).parents[2]


def test_the_examples_of_the_page_run(tmp_path: Path) -> None:
    page = (ROOT / "docs/api/async.md").read_text(encoding="utf-8")
    lines = "".join(re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL)).splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    shown = [line for line in lines if not line.startswith("$ ")]
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    with Service("serve", "--port", "0", "--data", str(tmp_path / "data"), folder=tmp_path) as service:
        script = "\n".join(["set -eu", *commands]).replace("http://127.0.0.1:8080/fhir", service.base_url)
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    assert len(shown) > 5
    position = 0
    for part in shown:  # in this order
        position = done.stdout.find(part, position)
        assert position >= 0, f"not answered, or not in this place: {part}\n{done.stdout[:3000]}"
