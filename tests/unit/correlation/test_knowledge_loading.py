"""Loading is strict: each kind of fault stops it and names file and key."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from correlation.errors import KnowledgeError
from correlation.knowledge_base import digest_of, files_under, load_knowledge, read_knowledge
from correlation.knowledge_page import render

CAUSE = """\
format = 1
id = "made_up"
name = "Made up"
summary = "For a test."
next_step = "None."
from_filler = true
systemic = false
materials = ["caha"]
sources = ["seed"]
authored_by = "Tester"
checked_by = ""

[[question]]
id = "injected_before"
ask = "Was it injected before?"
yes = "strong for"
no = "strong against"
sources = ["seed"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the knowledge base on disk, to be broken."""
    for path, content in files_under(files("correlation") / "knowledge").items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return tmp_path


def change(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def add_cause(folder: Path, old: str = "", new: str = "") -> None:
    assert old in CAUSE
    (folder / "causes" / "made_up.toml").write_text(CAUSE.replace(old, new, 1), encoding="utf-8")


def add_stray_file(folder: Path) -> None:
    (folder / "extra.toml").write_text("format = 1")


def drop_materials(folder: Path) -> None:
    for path in (folder / "materials").iterdir():
        path.unlink()


def drop_causes(folder: Path) -> None:
    for path in (folder / "causes").iterdir():
        path.unlink()


def refused(folder: Path) -> KnowledgeError:
    with pytest.raises(KnowledgeError) as caught:
        read_knowledge(files_under(folder))
    return caught.value


Break = Callable[[Path], None]

FAULTS: dict[str, tuple[Break, str, str]] = {
    "not TOML": (lambda f: change(f, "labs.toml", "format = 1", "format ="), "labs.toml", "is not TOML"),
    "other format": (lambda f: change(f, "labs.toml", "format = 1", "format = 2"), "labs.toml", "is not 1"),
    "unknown key": (
        lambda f: change(f, "materials/caha.toml", "permanent =", 'colour = "white"\npermanent ='),
        "materials/caha.toml",
        "unknown key",
    ),
    "missing key": (
        lambda f: change(f, "materials/caha.toml", "permanent = false", ""),
        "materials/caha.toml",
        "is missing",
    ),
    "flag that is a word": (
        lambda f: change(f, "materials/caha.toml", "permanent = false", 'permanent = "no"'),
        "materials/caha.toml",
        "neither true nor false",
    ),
    "unknown source": (
        lambda f: change(f, "materials/caha.toml", '"carr08"', '"nobody"'),
        "materials/caha.toml",
        "unknown source nobody",
    ),
    "bare number": (
        lambda f: change(
            f,
            "materials/caha.toml",
            'visible_months_ct = { value = "36", unit = "mo", source = "seed" }',
            "visible_months_ct = 36",
        ),
        "materials/caha.toml",
        "bare value",
    ),
    "number without unit": (
        lambda f: change(f, "measures.toml", 'value = "90", unit = "d",', 'value = "90",'),
        "measures.toml",
        "is missing",
    ),
    "number without source": (
        lambda f: change(f, "measures.toml", ', source = "design" }', " }"),
        "measures.toml",
        "is missing",
    ),
    "number that is a word": (
        lambda f: change(f, "measures.toml", 'value = "90"', 'value = "ninety"'),
        "measures.toml",
        "is not a number",
    ),
    "one-sided neighbour": (
        lambda f: change(f, "regions.toml", 'adjacent = ["preauricular"]', "adjacent = []"),
        "regions.toml",
        "does not name it as adjacent",
    ),
    "unknown neighbour": (
        lambda f: change(f, "regions.toml", 'adjacent = ["preauricular"]', 'adjacent = ["preauricular", "tail"]'),
        "regions.toml",
        "unknown tail",
    ),
    "unknown wider region": (
        lambda f: change(f, "regions.toml", 'broader = ["face", "midface", "cheek"]', 'broader = ["head"]'),
        "regions.toml",
        "unknown head",
    ),
    "wider region left out": (
        lambda f: change(f, "regions.toml", 'broader = ["face", "midface", "cheek"]', 'broader = ["cheek"]'),
        "regions.toml",
        "too",
    ),
    "product in two materials": (
        lambda f: change(f, "materials/ha.toml", '"Restylane",', '"Restylane", "RADIESSE",'),
        "materials",
        "stands already under caha",
    ),
    "region word in two regions": (
        lambda f: change(f, "regions.toml", '"forehead region"', '"temple"'),
        "regions.toml",
        "stands already under",
    ),
    "LOINC code of two tests": (
        lambda f: change(f, "labs.toml", '"2777-1"', '"17861-6"'),
        "labs.toml",
        "stands already under calcium",
    ),
    "unit without its own factor": (
        lambda f: change(f, "labs.toml", '"mmol/L" = "1"', '"mmol/L" = "2"'),
        "labs.toml",
        "has the factor 1",
    ),
    "interval in another unit": (
        lambda f: change(f, "labs.toml", 'high = "2.55"\nunit = "mmol/L"', 'high = "2.55"\nunit = "mg/dL"'),
        "labs.toml",
        "not the analyte's own unit",
    ),
    "interval upside down": (lambda f: change(f, "labs.toml", 'low = "2.15"', 'low = "5"'), "labs.toml", "above low"),
    "file under another name": (
        lambda f: change(f, "materials/caha.toml", 'id = "caha"', 'id = "chaa"'),
        "materials/caha.toml",
        "not the name of the file",
    ),
    "stray file": (add_stray_file, "extra.toml", "is not a file"),
    "missing file": (lambda f: (f / "references.toml").unlink(), "references.toml", "is missing"),
    "no categories": (lambda f: (f / "categories.toml").unlink(), "categories.toml", "is missing"),
    "no alerts": (lambda f: (f / "alerts.toml").unlink(), "alerts.toml", "is missing"),
    "no cause": (drop_causes, "causes", "is empty"),
    "unknown strength": (
        lambda f: add_cause(f, '"strong for"', '"rather for"'),
        "causes/made_up.toml",
        "is not one of",
    ),
    "question without a source": (
        lambda f: add_cause(f, 'against"\nsources = ["seed"]', 'against"\nsources = []'),
        "causes/made_up.toml",
        "needs at least one source",
    ),
    "unknown material of a cause": (
        lambda f: add_cause(f, '"caha"', '"marble"'),
        "causes/made_up.toml",
        "unknown material marble",
    ),
    "signed by its author": (
        lambda f: add_cause(f, 'checked_by = ""', 'checked_by = "Tester"\nreviewed_on = 2026-11-23'),
        "causes/made_up.toml",
        "is the author",
    ),
    "signed without a day": (
        lambda f: add_cause(f, 'checked_by = ""', 'checked_by = "Dr Other"'),
        "causes/made_up.toml",
        "belong together",
    ),
    "blank text": (lambda f: add_cause(f, '"Made up"', '""'), "causes/made_up.toml", "is blank"),
    "text with outer spaces": (
        lambda f: add_cause(f, '"Made up"', '" Made up"'),
        "causes/made_up.toml",
        "outer spaces",
    ),
    "list that is a text": (
        lambda f: add_cause(f, '["caha"]', '"caha"'),
        "causes/made_up.toml",
        "is not a list of texts",
    ),
    "list that repeats": (
        lambda f: add_cause(f, '["caha"]', '["caha", "caha"]'),
        "causes/made_up.toml",
        "says something twice",
    ),
    "no question": (
        lambda f: add_cause(f, CAUSE[CAUSE.index("[[question]]") :], ""),
        "causes/made_up.toml",
        "is missing",
    ),
    "question that is no table": (
        lambda f: add_cause(f, CAUSE[CAUSE.index("\n[[question]]") :], 'question = ["why"]\n'),
        "causes/made_up.toml",
        "is not a list of tables",
    ),
    "word that is not foreseen": (
        lambda f: change(f, "materials/caha.toml", 'on_ct = "calcific"', 'on_ct = "shiny"'),
        "materials/caha.toml",
        "is not one of",
    ),
    "true as a number": (
        lambda f: change(f, "measures.toml", 'value = "90"', "value = true"),
        "measures.toml",
        "is not a number",
    ),
    "endless number": (
        lambda f: change(f, "measures.toml", 'value = "90"', 'value = "Infinity"'),
        "measures.toml",
        "is not a finite number",
    ),
    "attenuation upside down": (
        lambda f: change(f, "materials/caha.toml", 'low = { value = "280"', 'low = { value = "2800"'),
        "materials/caha.toml",
        "ends below its beginning",
    ),
    "code that is no number": (
        lambda f: change(f, "regions.toml", 'code = "89545001"', 'code = "T-D1200"'),
        "regions.toml",
        "is not a SNOMED CT identifier",
    ),
    "factor of nought": (
        lambda f: change(f, "labs.toml", '"mg/dL" = "0.2495"', '"mg/dL" = "0"'),
        "labs.toml",
        "is not above nought",
    ),
    "one unit spelt twice": (
        lambda f: change(f, "labs.toml", '"mg/dL" = "0.2495"', '"mg/dL" = "0.2495"\n"MG/DL" = "1"'),
        "labs.toml",
        "stands already under calcium",
    ),
    "interval without ends": (
        lambda f: change(f, "labs.toml", 'low = "2.15"\nhigh = "2.55"\n', ""),
        "labs.toml",
        "at least one end",
    ),
    "limit in another unit": (
        lambda f: change(f, "labs.toml", 'value = "0.998", unit = "mmol/L"', 'value = "0.998", unit = "mg/dL"'),
        "labs.toml",
        "not in the analyte's own unit",
    ),
    "entry without a source": (
        lambda f: change(f, "labs.toml", 'sources = ["mimic", "pddi", "textbook"]', "sources = []"),
        "labs.toml",
        "has no source",
    ),
    "its own neighbour": (
        lambda f: change(f, "regions.toml", 'adjacent = ["preauricular"]', 'adjacent = ["preauricular", "ear"]'),
        "regions.toml",
        "adjacent to itself",
    ),
    "regions that lie in each other": (
        lambda f: change(f, "regions.toml", 'broader = ["face", "midface", "cheek"]', 'broader = ["malar"]'),
        "regions.toml",
        "lie in each other",
    ),
    "wider region with neighbours": (
        lambda f: change(f, "regions.toml", 'broader = ["face"]', 'broader = ["face", "midface", "nose"]'),
        "regions.toml",
        "its parts have the neighbours",
    ),
    "one id twice": (
        lambda f: change(f, "regions.toml", 'id = "malar"', 'id = "chin"'),
        "regions.toml",
        "stands twice",
    ),
    "no material": (
        drop_materials,
        "materials",
        "is empty",
    ),
    "day that is a text": (
        lambda f: add_cause(f, 'checked_by = ""', 'checked_by = "Dr Other"\nreviewed_on = "2026-11-23"'),
        "causes/made_up.toml",
        "is not a calendar day",
    ),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_stops_loading_and_names_the_file(fault: str, folder: Path) -> None:
    break_it, file, says = FAULTS[fault]
    break_it(folder)
    error = refused(folder)
    assert error.file == file
    assert says in str(error)


def test_a_sound_copy_with_one_more_cause_loads(folder: Path) -> None:
    add_cause(folder)
    (folder / "languages" / "es.toml").unlink()
    knowledge = read_knowledge(files_under(folder))
    assert knowledge.causes["made_up"].questions[0].yes == "strong-for"
    assert knowledge.digest != load_knowledge().digest


def test_category_counts_only_what_is_counted(folder: Path) -> None:
    (folder / "categories.toml").write_text(
        'format = 1\n[[category]]\nterm = "possible"\nsays = "x"\nwhen = { at_least = { luck = 1 } }\n'
    )
    assert "is not something that is counted" in str(refused(folder))


def test_a_bare_number_in_an_alert_is_refused(folder: Path) -> None:
    (folder / "alerts.toml").write_text(
        'format = 1\n[[alert]]\ncode = "x"\nname = "X"\nsays = "X."\nsources = ["seed"]\n[alert.measures]\nlimit = 3\n'
    )
    assert "bare value" in str(refused(folder))


def test_only_the_last_category_has_no_condition(folder: Path) -> None:
    row = '[[category]]\nterm = "possible"\nsays = "x"\n'
    (folder / "categories.toml").write_text("format = 1\n" + row + row)
    assert "only the last" in str(refused(folder))


def test_a_condition_of_another_kind_is_refused(folder: Path) -> None:
    (folder / "categories.toml").write_text(
        'format = 1\n[[category]]\nterm = "possible"\nsays = "x"\nwhen = { exactly = { for = 1 } }\n'
    )
    assert "unknown key" in str(refused(folder))


def test_a_count_is_a_whole_number(folder: Path) -> None:
    (folder / "categories.toml").write_text(
        'format = 1\n[[category]]\nterm = "possible"\nsays = "x"\nwhen = { at_most = { for = 1.5 } }\n'
    )
    assert "is not a count" in str(refused(folder))


def test_parameters_rules_and_alerts_are_read_and_shown(folder: Path) -> None:
    (folder / "causes" / "made_up.toml").write_text(
        CAUSE.replace('checked_by = ""', 'checked_by = "Dr Other"\nreviewed_on = 2026-12-01\nnext_review = 2027-12-01')
        + '[question.parameters]\nmorphology = ["plaque"]\n'
    )
    (folder / "categories.toml").write_text(
        'format = 1\n[[category]]\nterm = "probable"\nsays = "Strong."\n'
        "when = { at_least = { strong-for = 1 }, at_most = { against = 0 } }\n"
        '[[category]]\nterm = "possible"\nsays = "Rest."\nwhen = {}\n'
    )
    (folder / "alerts.toml").write_text(
        'format = 1\n[[alert]]\ncode = "made_up"\nname = "Made up"\nsays = "Act."\nsources = ["seed"]\n'
        '[alert.measures]\nlimit = { value = "3", unit = "mo", source = "design" }\n'
    )
    (folder / "languages" / "es.toml").unlink()
    change(folder, "languages/en.toml", "[terms]\n", '[terms]\nalert_made_up = "made up"\n')
    knowledge = read_knowledge(files_under(folder))
    assert knowledge.causes["made_up"].questions[0].parameters == {"morphology": ("plaque",)}
    page = render(knowledge)
    assert "| Was it injected before? | strong for | strong against | [seed] |" in page
    assert "checked by Dr Other on 2026-12-01, next review 2027-12-01" in page
    assert "| 1 | probable | at least 1 strong for, at most 0 against | Strong. |" in page
    assert "| 2 | possible | always | Rest. |" in page
    assert "limit 3 months [design]" in page


def test_the_digest_covers_paths_and_bytes() -> None:
    whole = {"a.toml": b"1", "b.toml": b"2"}
    assert digest_of(whole) == digest_of(dict(reversed(whole.items())))
    assert digest_of(whole) != digest_of({"a.toml": b"1", "c.toml": b"2"})
    assert digest_of(whole) != digest_of({"a.toml": b"1", "b.toml": b"3"})


def test_the_knowledge_base_is_read_once() -> None:
    assert load_knowledge() is load_knowledge()
