"""Writes the generated pages anew, or with `--check` says which are stale: `python -m tests.architecture.generated`."""

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from api.issue_codes import DOOR_ISSUE_CODES
from api.settings import ApiSettings
from correlation.knowledge_base import load_knowledge
from correlation.knowledge_page import render
from correlation.knowledge_page_visibility import PICTURE, picture
from ehr.settings import EhrSettings
from fhir_mappings.conformance import conformance_resources
from fhir_mappings.evidence.card import evidence_card
from fhir_mappings.evidence.pages import evidence_markdown
from fhir_mappings.issues import ISSUE_CODES
from fhir_mappings.resource_json import dumps_pretty
from store.environment import Setting, list_settings
from store.settings import StoreSettings
from tests.docs import worked_case
from workers.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
WRITTEN_BY = "written by `make generated`; do not edit"


def every_setting() -> tuple[Setting, ...]:
    """All settings of all rooms with their defaults."""
    return (
        *list_settings(StoreSettings(), room="store"),
        *list_settings(ApiSettings(), room="api"),
        *list_settings(WorkerSettings(), room="workers"),
        *list_settings(EhrSettings(), room="ehr"),
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
    rows = "\n".join(
        f'| <a id="{code}"></a>`{code}` | {says} |'
        for code, says in sorted({**ISSUE_CODES, **DOOR_ISSUE_CODES}.items())
    )
    return f"""# Issues

<!-- {WRITTEN_BY} -->

Codes of `https://fillertrace.example/fhir/CodeSystem/issue`, as they stand in
`OperationOutcome.issue.details.coding`. Each issue also names the element (`expression`) and says how to mend it
(`details.text`), and `diagnostics` links to its row here. No issue ever holds a value from the record.

| code | meaning |
|---|---|
{rows}
"""


def evidence_page() -> str:
    """docs/evidence.md."""
    return evidence_markdown(evidence_card(load_knowledge(), software_version=version("fillertrace")))


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/knowledge.md": lambda: render(load_knowledge()),
    f"docs/{PICTURE}": lambda: picture(load_knowledge()),
    "docs/configuration.md": configuration_page,
    "docs/issues.md": issues_page,
    "docs/evidence.md": evidence_page,
    "docs/how-it-decides.md": worked_case.page,
    "deploy/env.sample": environment_sample,
}


ARTEFACTS = ROOT / "docs" / "fhir"


def artefacts() -> dict[str, str]:
    """docs/fhir: our conformance artefacts, as the API serves them."""
    words = {**ISSUE_CODES, **DOOR_ISSUE_CODES}
    every = conformance_resources(load_knowledge(), software_version=version("fillertrace"), issue_words=words)
    return {
        f"docs/fhir/{one['resourceType']}-{one['id']}.json": dumps_pretty(one).decode() + "\n" for one in every.values()
    }


def _texts() -> dict[str, str]:
    return {**{name: page() for name, page in PAGES.items()}, **artefacts()}


def stale() -> list[str]:
    """The pages whose text is not what would be written now, and artefacts that are no longer made."""
    texts = _texts()
    left = [f"docs/fhir/{file.name}" for file in ARTEFACTS.glob("*.json") if f"docs/fhir/{file.name}" not in texts]
    return left + [
        name
        for name, text in texts.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write, or check."""
    if "--check" in sys.argv:
        for name in stale():
            print(f"{name} is stale: run `make generated` and commit it", file=sys.stderr)
        return 1 if stale() else 0
    ARTEFACTS.mkdir(exist_ok=True)
    for file in ARTEFACTS.glob("*.json"):
        file.unlink()
    for name, text in _texts().items():
        (ROOT / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
