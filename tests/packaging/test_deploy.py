"""What deploys: the Compose file, the steps of the Dockerfile, the sample of settings."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.servers import ServerUnavailable

ROOT = Path(__file__).parents[2]
COMPOSE_SCHEMA = Path("/usr/lib/python3/dist-packages/compose/config/compose_spec.json")


@pytest.fixture
def docker_compose() -> str:
    command = shutil.which("docker-compose")
    if command is None or not COMPOSE_SCHEMA.exists():
        raise ServerUnavailable("Debian's docker-compose and its Compose schema are not here (apt: docker-compose).")
    return command


def test_the_compose_file_is_valid(docker_compose: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    jsonschema.Draft201909Validator(json.loads(COMPOSE_SCHEMA.read_text())).validate(compose)
    done = subprocess.run(
        [docker_compose, "-f", ROOT / "docker-compose.yml", "config", "--quiet"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert set(compose["services"]) == {"api", "worker", "redis", "postgres", "hapi"}
    assert compose["services"]["hapi"]["profiles"] == ["sandbox"]


def test_everything_is_published_on_loopback_only() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_is_built_from_what_it_copies(tmp_path: Path) -> None:
    """The Dockerfile's COPY lines, done in an empty folder, are enough to build the wheel it installs."""
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--)(.+)$", dockerfile, flags=re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            place = tmp_path / (source if target.endswith("/") else target)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, place)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path / "wheel", tmp_path], check=True)
    assert [wheel.name.startswith("fillertrace-") for wheel in (tmp_path / "wheel").iterdir()] == [True]


def test_the_image_runs_as_its_own_user_and_holds_only_the_wheel() -> None:
    final_stage = (ROOT / "deploy/Dockerfile").read_text().split("\nFROM ")[-1]
    assert re.search(r"^USER (?!root)\w+$", final_stage, flags=re.MULTILINE)
    assert re.findall(r"^COPY (.+)$", final_stage, flags=re.MULTILINE) == ["--from=build /fillertrace /fillertrace"]
