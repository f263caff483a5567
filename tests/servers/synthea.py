"""Synthea from Maven: whole synthetic lives as FHIR transactions, the same for the same seeds."""

import shutil
import subprocess
from pathlib import Path

from tests.servers import ServerUnavailable

_POM = Path(__file__).with_name("synthea.pom.xml")
_TODAY = "20261101"  # its people are born by counting back from a day: with today they would differ each day
_DEADLINE = 900.0


def old_people(folder: Path, *, count: int, seed: int) -> list[Path]:
    """The records of so many people of 70 to 95 years, each one transaction Bundle, the largest file first.

    Raises ServerUnavailable where Java or Maven are missing or Synthea cannot be had.
    """
    classpath = folder / "classpath.txt"
    maven, java = shutil.which("mvn"), shutil.which("java")
    if maven is None or java is None:
        raise ServerUnavailable("Synthea cannot run because Java or Maven (mvn) is not on PATH.")
    wanted = [f"-Dmdep.outputFile={classpath}", "dependency:build-classpath"]
    _run([maven, "-B", "-q", "-ntp", "-f", str(_POM), *wanted], log=folder / "maven.log")
    people = ["-p", str(count), "-s", str(seed), "-cs", str(seed), "-a", "70-95", "-r", _TODAY, "-e", _TODAY]
    quiet = ["--exporter.hospital.fhir.export=false", "--exporter.practitioner.fhir.export=false"]
    output = f"--exporter.baseDirectory={folder / 'synthea'}"
    _run([java, "-cp", classpath.read_text().strip(), "App", *people, output, *quiet], log=folder / "synthea.log")
    return sorted((folder / "synthea" / "fhir").glob("*.json"), key=lambda file: file.stat().st_size, reverse=True)


def _run(command: list[str], *, log: Path) -> None:
    with log.open("wb") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, timeout=_DEADLINE, check=False
        )
    if done.returncode != 0:
        raise ServerUnavailable(f"Synthea could not be made to run; see {log}.")
