"""This file is the table of which errors are tried again; delays and number of attempts are settings of the store.

Almost everything is tried again, up to the last attempt, because a fault that looks lasting (memory, a full disk, a
deployment half done) often is not, and the attempts are bounded. What cannot get better is not.
"""

from __future__ import annotations

from ehr.errors import Refused
from fhir_mappings.bundle import BundleRejected
from store.errors import NewerDatabase, NotFound, PatientConflict

LASTING: tuple[type[Exception], ...] = (NotFound, NewerDatabase, PatientConflict, Refused, BundleRejected)


def worth_another_attempt(error: Exception) -> bool:
    """Whether the same job may succeed later."""
    return not isinstance(error, LASTING)
