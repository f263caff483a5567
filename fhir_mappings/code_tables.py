"""This file reads the TOML tables under `fhir_mappings/codes/`, each once per process."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def code_table(name: str) -> dict[str, Any]:
    """The table `codes/<name>.toml` as plain data. It belongs to everyone: never change what it returns."""
    return tomllib.loads((files("fhir_mappings") / "codes" / f"{name}.toml").read_text("utf-8"))
