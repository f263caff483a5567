"""The wheel alone, in an empty environment with the locked packages, holds exactly our eight rooms and serves."""

import json
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"admission", "api", "cli", "correlation", "ehr", "fhir_mappings", "store", "workers"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True)
    subprocess.run([*install, "--no-deps", *folder.glob("*.whl")], check=True)
    return folder


@pytest.mark.timeout(600)
def test_every_room_is_ours_and_the_knowledge_is_inside(environment: Path) -> None:
    """pip overwrites a package of the same name without a word, so ownership is looked up in the installed wheel."""
    script = (
        "import json\nfrom importlib.metadata import packages_distributions\n"
        "from correlation.knowledge_base import load_knowledge\n"
        "found = packages_distributions()\n"
        "print(json.dumps({'owners': {k: v for k, v in found.items() if 'fillertrace' in v},"
        " 'edition': load_knowledge().edition}))"
    )
    done = subprocess.run(
        [environment / "venv/bin/python", "-c", script], cwd=environment, check=True, capture_output=True, text=True
    )
    answer = json.loads(done.stdout)
    assert answer["owners"] == {room: ["fillertrace"] for room in ROOMS}
    assert answer["edition"]


@pytest.mark.timeout(600)
def test_the_wheel_serves(environment: Path) -> None:
    command = [environment / "venv/bin/fillertrace", "serve", "--port", "0", "--data", environment / "data"]
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(environment)}
    with subprocess.Popen(
        command, cwd=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=surroundings
    ) as serve:
        assert serve.stdout is not None
        line = serve.stdout.readline()
        serve.send_signal(signal.SIGTERM)
        assert line.startswith("ready http://127.0.0.1:")
        assert serve.wait(timeout=60) == 0
