"""The browser of the tests: Debian's Chromium, or Google's."""

import shutil

from tests.servers import ServerUnavailable


def find_program() -> str:
    """The program. Raises ServerUnavailable where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise ServerUnavailable("Chromium is not here (apt: chromium).")
    return found
