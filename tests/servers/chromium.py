"""The browser of the tests: Debian's Chromium, or Google's."""

import shutil
import subprocess

from tests.servers import ServerUnavailable

FONT = "Liberation Sans"


def find_program() -> str:
    """The program. Raises ServerUnavailable where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise ServerUnavailable("Chromium is not here (apt: chromium).")
    return found


def find_font() -> str:
    """The font in which a printed page has its known size; others are wider. Raises ServerUnavailable without it."""
    lister = shutil.which("fc-list")
    listed = subprocess.run([lister], capture_output=True, text=True, check=True).stdout if lister else ""
    if FONT not in listed:
        raise ServerUnavailable(f"the font {FONT} is not here (apt: fonts-liberation).")
    return FONT
