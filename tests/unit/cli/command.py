"""The real command in a process of its own, with exactly the environment given."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

COMMAND = Path(sys.executable).with_name("fillertrace")


def fillertrace(
    *arguments: str, given: bytes = b"", settings: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/tmp"), **(settings or {})}
    return subprocess.run(
        [COMMAND, *arguments], input=given, capture_output=True, env=environment, cwd=folder, timeout=120, check=False
    )
