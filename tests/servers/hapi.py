"""A real HAPI FHIR R4 server and HAPI's validator, built from ``deploy/hapi`` with Maven."""

import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tests.servers import ServerUnavailable, processes

SOURCES = Path(__file__).resolve().parents[2] / "deploy" / "hapi"
TARGET = SOURCES / "target"
JAR = TARGET / "fillertrace-hapi.jar"
START_DEADLINE = 180.0
STOP_PATIENCE = 10.0
VALIDATE_DEADLINE = 120.0
LEAST_JAVA = 17

_BUILD_DEADLINE = 900.0
_STAMP = TARGET / "built-from.sha256"
_BUILD_LOG = TARGET / "build.log"

Severity = Literal["information", "warning", "error", "fatal"]


# --- build ------------------------------------------------------------------------------------------------


def build() -> Path:
    """Build the server and the validator unless that is done; return the target folder.

    Parallel callers, other processes included, wait for the first one. Raises ServerUnavailable when
    Java or Maven are missing or the build fails.
    """
    java()
    with _build_lock():
        sources = _digest_of_sources()
        if not _is_built_from(sources):
            _run_maven()
            _STAMP.write_text(sources)
    return TARGET


@contextlib.contextmanager
def _build_lock() -> Iterator[None]:
    with (SOURCES / ".build-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest_of_sources() -> str:
    """Content rather than times: a fresh checkout or a restored cache has new times on old files."""
    digest = hashlib.sha256()
    for path in [SOURCES / "pom.xml", *sorted((SOURCES / "src").rglob("*"))]:
        if path.is_file():
            digest.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _is_built_from(sources: str) -> bool:
    return JAR.is_file() and _STAMP.is_file() and _STAMP.read_text() == sources


def _run_maven() -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerUnavailable("HAPI cannot be built because Maven (mvn) is not on PATH.")
    TARGET.mkdir(exist_ok=True)
    _STAMP.unlink(missing_ok=True)
    with _BUILD_LOG.open("wb") as log:
        try:
            result = subprocess.run(
                [maven, "-B", "-q", "-ntp", "package"],
                cwd=SOURCES,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_BUILD_DEADLINE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ServerUnavailable(f"HAPI's build took longer than {_BUILD_DEADLINE:.0f} s.") from None
    if result.returncode != 0:
        raise ServerUnavailable(f"HAPI's build failed ({_first_build_error()}); see {_BUILD_LOG}.")


def _first_build_error() -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", _BUILD_LOG.read_text(errors="replace"))
    errors = [line for line in text.splitlines() if line.startswith("[ERROR]")]
    return errors[0].removeprefix("[ERROR]").strip() if errors else "no error in its log"


def java() -> str:
    """The program java. Raises ServerUnavailable where there is none, or one that is too old."""
    program = shutil.which("java")
    if program is None:
        raise ServerUnavailable("HAPI cannot run because java is not on PATH.")
    shown = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', shown)
    if version is None or int(version[1]) < LEAST_JAVA:
        found = shown.splitlines()[0] if shown else "java -version said nothing"
        raise ServerUnavailable(f"HAPI needs Java {LEAST_JAVA} or newer ({found}).")
    return program


# --- server -----------------------------------------------------------------------------------------------


class HapiServer:
    """A HAPI FHIR R4 server on a loopback port, with a database of its own.

    ``with HapiServer() as server:`` starts it on a free port with a database in memory.
    """

    def __init__(self, log: Path | None = None) -> None:
        """Standard error goes to ``log``; without it, to a file that stop() removes."""
        self.base_url = ""
        self._given_log = log
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None

    def start(self, port: int = 0, database: Path | None = None, *, external_references: bool = False) -> None:
        """Build if needed, start, and return when the server answers (deadline 180 s).

        ``database`` names an H2 file, without its suffix, that outlives the server; by default the
        database is in memory. ``external_references`` allows references to other servers.
        """
        if self._process is not None:
            raise RuntimeError("This HAPI server is already running.")
        build()
        self._folder = processes.new_folder("hapi")
        self._process = processes.spawn(
            self._command(port, database, external_references),
            log=self.log,
            piped=True,
            directory=self._folder,
        )
        assert self._process.stdout is not None
        self._wait_for_ready(processes.LineReader(self._process.stdout))

    def _command(self, port: int, database: Path | None, external_references: bool) -> list[str | Path]:
        properties = []
        if database is not None:
            properties.append(f"-Dfhir.db=jdbc:h2:file:{database.resolve()}")
        if external_references:
            properties.append("-Dfhir.externalReferences=true")
        options = f"@{SOURCES / 'java-server.options'}"
        return [java(), options, *properties, "-jar", JAR, str(port)]

    def _wait_for_ready(self, lines: processes.LineReader) -> None:
        try:
            line = lines.next_line(START_DEADLINE)
        except (EOFError, TimeoutError) as problem:
            reason = f"HAPI did not start: {problem}; its log ends with: {processes.tail(self.log)}"
            self.stop()
            raise ServerUnavailable(reason) from None
        self.base_url = line.removeprefix("READY ")

    @property
    def log(self) -> Path:
        """The file that holds the server's standard error."""
        if self._given_log is not None:
            return self._given_log
        if self._folder is None:
            raise RuntimeError("This HAPI server is not running.")
        return self._folder / "hapi.log"

    @property
    def pid(self) -> int:
        """The process identifier, for measurements."""
        if self._process is None:
            raise RuntimeError("This HAPI server is not running.")
        return self._process.pid

    def stop(self) -> None:
        """Stop the server in order; harmless when it is not running."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM, STOP_PATIENCE)
            self._process = None
        if self._folder is not None:
            processes.remove_folder(self._folder)
            self._folder = None
        self.base_url = ""

    def __enter__(self) -> Self:
        """Start with the defaults unless start() was called before."""
        if self._process is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


# --- validator --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the validator says about a resource."""

    severity: Severity
    code: str
    location: str
    message: str

    @property
    def is_error(self) -> bool:
        """Whether the finding makes the resource invalid."""
        return self.severity in ("error", "fatal")


class HapiValidator:
    """HAPI's validator for FHIR R4 and our own definitions, kept running; it never asks a network."""

    def __init__(self, *definitions: Path, log: Path | None = None) -> None:
        """``definitions`` are folders of StructureDefinition, ValueSet, CodeSystem and other JSON files."""
        self._definitions = definitions
        self._given_log = log
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None
        self._lines: processes.LineReader | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Build if needed, start, and return when the definitions are loaded (deadline 180 s)."""
        if self._process is not None:
            raise RuntimeError("This HAPI validator is already running.")
        build()
        self._folder = processes.new_folder("validator")
        self._process = processes.spawn(self._command(), log=self.log, piped=True)
        assert self._process.stdout is not None
        self._lines = processes.LineReader(self._process.stdout)
        if self._read_answer(START_DEADLINE) != {"ready": True}:
            self.stop()
            raise ServerUnavailable("HAPI's validator did not start with the line that says it is ready.")

    def _command(self) -> list[str | Path]:
        options = f"@{SOURCES / 'java-validator.options'}"
        main = "example.fillertrace.hapi.ValidatorMain"
        return [
            java(),
            options,
            "-cp",
            JAR,
            main,
            *(folder.resolve() for folder in self._definitions),
        ]

    @property
    def log(self) -> Path:
        """The file that holds the validator's standard error."""
        if self._given_log is not None:
            return self._given_log
        if self._folder is None:
            raise RuntimeError("This HAPI validator is not running.")
        return self._folder / "validator.log"

    def validate(self, resource: dict[str, Any] | bytes | str, profiles: Sequence[str] = ()) -> list[Finding]:
        """Validate a resource against base R4, the profiles it names itself, and ``profiles``.

        Text and bytes reach the validator exactly as they are, even when they are not JSON.
        Any number of threads may call; one is served at a time.
        """
        request = {"resource": _as_sent(resource), "profile": list(profiles)}
        with self._lock:
            if self._process is None or self._process.stdin is None:
                raise RuntimeError("This HAPI validator is not running.")
            with contextlib.suppress(BrokenPipeError):  # _read_answer says it better
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()
            answer = self._read_answer(VALIDATE_DEADLINE)
        return [Finding(**issue) for issue in answer["issues"]]

    def _read_answer(self, deadline: float) -> dict[str, Any]:
        assert self._lines is not None
        try:
            answer: dict[str, Any] = json.loads(self._lines.next_line(deadline))
        except (EOFError, TimeoutError) as problem:
            reason = f"HAPI's validator gave no answer: {problem}; its log ends with: {processes.tail(self.log)}"
            # A late answer would be taken for the answer to the next question.
            self.stop()
            raise ServerUnavailable(reason) from None
        return answer

    def stop(self) -> None:
        """Stop the validator; harmless when it is not running."""
        if self._process is not None:
            # It holds nothing worth an orderly end.
            processes.stop(self._process, signal.SIGKILL, STOP_PATIENCE)
            self._process = None
        if self._folder is not None:
            processes.remove_folder(self._folder)
            self._folder = None

    def __enter__(self) -> Self:
        """Start unless start() was called before."""
        if self._process is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def _as_sent(resource: dict[str, Any] | bytes | str) -> dict[str, Any] | str:
    return resource.decode("utf-8") if isinstance(resource, bytes) else resource
