"""This file names what can go wrong in the clinical engine: only its own data files. Patient data never raises."""

from __future__ import annotations


class KnowledgeError(Exception):
    """A file of the knowledge base is wrong; the process refuses to start.

    Names the file, the key inside it and what is wrong. It never concerns a patient.
    """

    def __init__(self, *, file: str, key: str, says: str) -> None:
        super().__init__(f"knowledge/{file}: {key}: {says}" if key else f"knowledge/{file}: {says}")
        self.file = file
        self.key = key
        self.says = says
