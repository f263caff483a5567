"""This file holds the fixed sentences of every report: what was asked, what this is, and what it is not.

They come from the checklist "Report MUST contain" of the clinical knowledge (section 8) and the contract (section 4).
"""

from __future__ import annotations

from datetime import date
from typing import Final

ASKED: Final = "Do the recorded fillers explain the deposits described on imaging, and if not, what else could?"
NOT_A_DIAGNOSIS: Final = "Decision support: not a diagnosis; for review by a licensed clinician."
NOT_FOR_EMERGENCIES: Final = "Not for emergencies. No alert does not mean no emergency."
NOT_REVIEWED: Final = "Not reviewed by a clinician."
NOT_A_DEVICE: Final = "Not a medical device: for research and demonstration."

STATEMENTS: Final = (NOT_A_DIAGNOSIS, NOT_FOR_EMERGENCIES, NOT_REVIEWED, NOT_A_DEVICE)
"""What the worksheet says of itself beside the limitations that the engine names."""


def changed_after_signature_words(day: date) -> str:
    """How a conclusion begins that new facts changed after a person had signed it (contract, section 5)."""
    return f"Changed by software on {day.isoformat()} after signature; not yet reviewed."


def made_by_words(*, software_version: str, edition: str, digest: str) -> str:
    """Software and knowledge version in one sentence."""
    return f"Fillertrace {software_version}, knowledge edition {edition} (SHA-256 {digest[:12]}…)."
