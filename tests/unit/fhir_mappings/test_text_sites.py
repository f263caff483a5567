import pytest

from correlation.knowledge_base import load_knowledge
from correlation.timeline import Side
from fhir_mappings.text_sites import sides_in_text, sites_in_text

LETTERS = {Side.LEFT: "L", Side.RIGHT: "R", Side.MIDLINE: "M"}


def brief(text: str) -> str:
    sites = sites_in_text(text, load_knowledge())
    return ", ".join(
        " ".join([site.region, "".join(sorted(LETTERS[side] for side in site.sides))]).strip() for site in sites
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Left malar region", "malar L"),
        ("Malar region, left", "malar L"),
        ("Malar region", "malar"),
        ("Malar regions", "malar"),  # a plural alone states no side
        ("Both cheeks", "cheek LR"),
        ("oral commissures and mentum, right and left", "labial_commissure LR, chin LR"),
        ("malar area, oral commissures and mentum, right and left", "malar LR, labial_commissure LR, chin LR"),
        (
            "malar eminence, oral commissures, chin and temple, both sides",
            "malar LR, labial_commissure LR, chin LR, temporal LR",
        ),
        ("pómulo, comisuras labiales y mentón, bilateral", "malar LR, labial_commissure LR, chin LR"),
        ("POMULO Y MENTON BILATERAL", "malar LR, chin LR"),
        ("left malar and both temporal regions", "malar L, temporal LR"),
        ("right malar, left temporal", "malar R, temporal L"),
        ("región malar izquierda y temporal derecha", "malar L, temporal R"),
        ("región malar y temporal izquierda", "malar L, temporal L"),
        ("Temple (both sides)", "temporal LR"),
        ("Forehead (midline)", "forehead M"),
        ("NLF (bilaterally)", "nasolabial LR"),
        ("surcos nasogenianos", "nasolabial"),
        ("cheekbone area and buccal area, bilaterally", "malar LR, buccal LR"),
        ("ambas regiones malares y bucales", "malar LR, buccal LR"),
        ("right malar and forehead", "malar R, forehead"),  # the forehead lies across the middle
        ("both malar and buccal regions", "malar LR, buccal LR"),
        ("submalar cheek, left", "buccal L"),  # the longest name wins
        ("dorso de la mano, bilateral", "hand_dorsum LR"),
        ("dorsum of the left hand", "hand_dorsum L"),
        ("Dermal filler: Radiesse (R) 1.5 mL, chin", "chin"),  # a trade mark is no side
        ("L malar", "malar L"),
        ("chin, left cheek", "chin, cheek L"),
        ("Mandibular border (right and left)", "jawline LR"),
        (
            "both sides of the face, from the nasolabial region towards the auricular region",
            "nasolabial LR, preauricular LR",
        ),
        ("face and jaw", "face, jawline"),
        ("right temporal lobe", ""),
        ("frente a estudio previo", ""),
        ("gluteal region and thigh, right and left", "buttock LR, thigh LR"),
        ("Laparoscopic appendectomy", ""),
    ],
)
def test_regions_and_sides_are_read_from_prose(text: str, expected: str) -> None:
    assert brief(text) == expected


def test_a_site_keeps_the_words_it_was_read_from() -> None:
    (site,) = sites_in_text("Relleno en la Región Malar derecha", load_knowledge())
    assert site.stated_as == "Región Malar"


def test_a_qualifier_without_a_region_is_only_a_side() -> None:
    assert sites_in_text("Bilateral", load_knowledge()) == ()
    assert sides_in_text("Bilateral") == {Side.LEFT, Side.RIGHT}
    assert sides_in_text("izquierda") == {Side.LEFT}
    assert sides_in_text("Radiesse (R)") == frozenset()
