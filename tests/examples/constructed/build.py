"""Write every constructed situation as `Cxx.bundle.json` and `Cxx.expected.json`.

`python -m tests.examples.constructed.build`

The expectations were written down from the clinical summary and the contract before the service was asked. Where one
was found wrong later, its reason says so.
"""

import json
from pathlib import Path

from tests.examples.constructed.records import Situation, Writer
from tests.examples.constructed.situations_alerts import ALERTS
from tests.examples.constructed.situations_answers import ANSWERS
from tests.examples.constructed.situations_fillers import FILLERS
from tests.examples.constructed.situations_other_causes import OTHER_CAUSES
from tests.examples.constructed.situations_readings import READINGS
from tests.examples.constructed.situations_variants import VARIANTS

FOLDER = Path(__file__).parent
SITUATIONS: tuple[Situation, ...] = (*FILLERS, *OTHER_CAUSES, *ALERTS, *VARIANTS, *READINGS, *ANSWERS)


def files_of(situation: Situation) -> dict[str, str]:
    """The two files of a situation by name."""
    expected = {
        "id": situation.id,
        "style": situation.style,
        "source": f"constructed: {situation.about}",
        "certainty": "constructed",
        "expected_top": situation.top[0],
        "acceptable_top": list(situation.top),
        "must_not_rank_above": list(situation.never_above),
        "expected_filler_attribution": situation.attribution[0],
        "acceptable_attribution": list(situation.attribution),
        "expected_alerts": list(situation.alerts),
        "reason": situation.reason,
    }
    return {
        f"{situation.id}.bundle.json": _written(Writer(situation).bundle()),
        f"{situation.id}.expected.json": _written(expected),
    }


def _written(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all files."""
    for situation in SITUATIONS:
        for name, text in files_of(situation).items():
            (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
