"""Writes the generated pages anew, or with `--check` says which are stale: `python -m tests.architecture.generated`."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from api.issue_codes import DOOR_ISSUE_CODES
from api.settings import ApiSettings
from correlation.knowledge_base import load_knowledge
from correlation.knowledge_page import render
from fhir_mappings.issues import ISSUE_CODES
from store.environment import Setting, list_settings
from store.settings import StoreSettings
from workers.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
WRITTEN_BY = "written by `make generated`; do not edit"


def every_setting() -> tuple[Setting, ...]:
    """All settings of all rooms with their defaults."""
    return (
        *list_settings(StoreSettings(), room="store"),
        *list_settings(ApiSettings(), room="api"),
        *list_settings(WorkerSettings(), room="workers"),
    )


def configuration_page() -> str:
    """docs/configuration.md."""
    rows = "\n".join(
        f"| `{one.variable}` | {one.kind.replace('|', 'or')} | {_quoted(one.default)} | {one.meaning} |"
        for one in every_setting()
    )
    return f"""# Configuration

<!-- {WRITTEN_BY} -->

Every setting is an environment variable. An unknown `FILLERTRACE_…` variable stops the start. A secret may stand in a
file: `<NAME>_FILE` names it. `fillertrace settings` shows what holds now.

| variable | kind | default | meaning |
|---|---|---|---|
{rows}
"""


def _quoted(default: str) -> str:
    return f"`{default}`" if default else "–"


def environment_sample() -> str:
    """deploy/env.sample."""
    blocks = "\n\n".join(f"# {one.meaning}\n# {one.variable}={one.example or one.default}" for one in every_setting())
    return (
        f"# Settings of Fillertrace, {WRITTEN_BY}. Take away the leading # where you want another value.\n\n{blocks}\n"
    )


def issues_page() -> str:
    """docs/issues.md."""
    rows = "\n".join(f"| `{code}` | {says} |" for code, says in sorted({**ISSUE_CODES, **DOOR_ISSUE_CODES}.items()))
    return f"""# Issues

<!-- {WRITTEN_BY} -->

Codes of `https://fillertrace.example/fhir/CodeSystem/issue`, as they stand in
`OperationOutcome.issue.details.coding`. Each issue also names the element (`expression`) and says how to mend it
(`details.text`). No issue ever holds a value from the record.

| code | meaning |
|---|---|
{rows}
"""


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/knowledge.md": lambda: render(load_knowledge()),
    "docs/configuration.md": configuration_page,
    "docs/issues.md": issues_page,
    "deploy/env.sample": environment_sample,
}


def stale() -> list[str]:
    """The pages whose text is not what would be written now."""
    return [
        name
        for name, page in PAGES.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != page()
    ]


def main() -> int:
    """Write, or check."""
    if "--check" in sys.argv:
        for name in stale():
            print(f"{name} is stale: run `make generated` and commit it", file=sys.stderr)
        return 1 if stale() else 0
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
