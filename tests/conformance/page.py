"""docs/conformance.md: each requirement with what proves it. `make conformance` runs those tests and writes the page.

The tests that prove a requirement carry `@pytest.mark.requirement("HTTP-05")`. The page names them; that they pass is
what `make test` says on every run, and `make conformance` refuses to write the page where one does not.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement: what a test asserts, and why it is not offered where it is left out on purpose."""

    id: str
    says: str
    not_offered: str = ""
    note: str = ""


def requirements() -> tuple[Requirement, ...]:
    """All of them, in their order."""
    table = tomllib.loads((_HERE / "requirements.toml").read_text(encoding="utf-8"))
    return tuple(Requirement(id=id_, **row) for id_, row in table.items())


def proofs() -> Mapping[str, Sequence[str]]:
    """The tests that carry a requirement's mark, as `path::name`, read from the source."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        if "target" in file.parts or "node_modules" in file.parts:
            continue
        where = file.relative_to(ROOT).as_posix()
        for name, ids in _marked(ast.parse(file.read_text(encoding="utf-8")).body, ()):
            for id_ in ids:
                found[id_].append(f"{where}::{name}")
    return found


def _marked(body: Sequence[ast.stmt], outer: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for statement in body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in statement.targets
        ):
            outer += tuple(_ids(statement.value))
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            own = outer + tuple(id_ for decorator in statement.decorator_list for id_ in _ids(decorator))
            if isinstance(statement, ast.ClassDef):
                for name, ids in _marked(statement.body, own):
                    yield f"{statement.name}::{name}", ids
            elif statement.name.startswith("test"):
                yield statement.name, own


def _ids(node: ast.AST) -> Iterator[str]:
    """The ids in `pytest.mark.requirement(...)`, wherever in an expression it stands."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and ast.unparse(part.func) == "pytest.mark.requirement":
            yield from (str(ast.literal_eval(argument)) for argument in part.args)


def page() -> str:
    """The page, from the requirements, the marks, and the differences from HAPI's validator that have a reason."""
    proved = proofs()
    return "\n".join(
        [
            "# Conformance",
            "",
            "<!-- written by `make conformance`; do not edit -->",
            "",
            "Each requirement with the tests that prove it on a running service. They are part of `make test`;",
            "`make conformance` runs these alone and writes this page only where all of them pass.",
            "",
            *_table(proved),
            *_not_offered(),
            *_differences(),
        ]
    )


def _table(proved: Mapping[str, Sequence[str]]) -> list[str]:
    rows = ["| id | requirement | result | tests |", "|---|---|---|---|"]
    for one in requirements():
        result = "not offered" if one.not_offered else "pass" if proved.get(one.id) else "fail: no test"
        if one.note:
            result += f"; {one.note}"
        rows.append(f"| {one.id} | {_cell(one.says)} | {_cell(result)} | {_tests(proved.get(one.id, ()))} |")
    return [*rows, ""]


def _tests(names: Sequence[str]) -> str:
    by_file: dict[str, list[str]] = defaultdict(list)
    for name in names:
        file, _, test = name.partition("::")
        by_file[file].append(test)
    return "<br>".join(f"`{file}`: {', '.join(f'`{test}`' for test in tests)}" for file, tests in by_file.items())


def _not_offered() -> list[str]:
    left_out = [one for one in requirements() if one.not_offered]
    if not left_out:
        return []
    return ["## Not offered, and why", "", *(f"- **{one.id}**: {one.not_offered}" for one in left_out), ""]


def _differences() -> list[str]:
    file = _HERE / "validation_differences.toml"
    if not file.exists():
        return []
    rows = tomllib.loads(file.read_text(encoding="utf-8")).get("difference", [])
    return [
        "## `$validate` and HAPI's validator",
        "",
        "Every error that HAPI's base R4 validator reports on a kept type is reported by `$validate` at the same",
        "element, apart from these:",
        "",
        "| where | HAPI says | why it differs |",
        "|---|---|---|",
        *(f"| {_cell(row['where'])} | {_cell(row['hapi'])} | {_cell(row['why'])} |" for row in rows),
        "",
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Run the tests that carry a mark; write the page where all pass. The exit code is pytest's."""
    files = sorted({name.partition("::")[0] for names in proofs().values() for name in names})
    code = pytest.main(["-q", "-m", "requirement and not long", *files])
    if code == 0:
        PAGE.write_text(page(), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
