"""npm packages that tests need, brought once by `npm ci` and kept until their lock file changes."""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.servers import ServerUnavailable

LEAST_NODE = 20
_INSTALL_DEADLINE = 600.0


def node() -> str:
    """The program node. Raises ServerUnavailable where there is none, or one that is too old."""
    program = shutil.which("node")
    if program is None:
        raise ServerUnavailable("JavaScript clients cannot run because node is not on PATH.")
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if not shown.startswith("v") or int(shown[1:].partition(".")[0]) < LEAST_NODE:
        raise ServerUnavailable(
            f"JavaScript clients need node {LEAST_NODE} or newer, and this is {shown or 'unknown'}."
        )
    return program


def install(folder: Path) -> None:
    """Bring what `package-lock.json` of a folder names, unless that is done. Parallel callers wait for the first.

    Raises ServerUnavailable where npm is missing or fails.
    """
    program = shutil.which("npm")
    if program is None:
        raise ServerUnavailable("JavaScript clients cannot be installed because npm is not on PATH.")
    modules = folder / "node_modules"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = modules / "installed-from.sha256"
    with _lock(folder / ".install-lock"):
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        command = [program, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_DEADLINE, check=False
            )
        except subprocess.TimeoutExpired:
            raise ServerUnavailable(f"npm ci took longer than {_INSTALL_DEADLINE:.0f} s.") from None
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
            raise ServerUnavailable(f"npm ci failed in {folder}: {' '.join(said[:3])}")
        stamp.write_text(wanted)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
