import pytest

from correlation.knowledge_base import load_knowledge
from fhir_mappings.spelling import distance
from fhir_mappings.text_products import names_another_injectable, products_in_text


def brief(text: str) -> str:
    mentions = products_in_text(text, load_knowledge())
    lines = []
    for mention in mentions:
        volume = f"{mention.volume_ml} mL" if mention.volume_ml is not None else ""
        dilution = f"1:{mention.dilution}" if mention.dilution is not None else ""
        words = (mention.material, volume, dilution, "" if mention.exact else "~")
        lines.append(" ".join(word for word in words if word))
    return ", ".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Filler injection (Radiesse 1.5 mL) malar area", "caha 1.5 mL"),
        ("Radiesse® (+) Lidocaine 1,5 mL", "caha 1.5 mL"),
        ("RADIESSE™ 2 x 1.5 mL", "caha 3.0 mL"),
        ("Radiesse 2 syringes", "caha"),
        ("Radiesse 2 syringes (1.5 mL each)", "caha 3.0 mL"),
        ("1.5 mL of Radiesse", "caha 1.5 mL"),
        ("Radiesse (hyperdiluted 1:2) 6 mL", "caha 6 mL 1:2"),
        ("Radiesse diluida 1:1", "caha 1:1"),
        ("Radiesse (hyperdiluted)", "caha"),
        ("HA filler (brand not stated)", "ha"),
        ("Juvaderm Voluma 1 ml lips and Radiesse 1,5ml chin", "ha 1 mL ~, caha 1.5 mL"),
        ("restilane", "ha ~"),
        ("scultra", "plla ~"),
        ("Neauvia Intense", "ha"),
        ("Neauvia Stimulate", "caha"),
        ("Neauvia Stimulat 1 ml", "caha 1 mL ~"),  # a slip in a trap's name does not make it the plain product
        ("HArmonyCa (hyaluronic acid + calcium hydroxylapatite)", "ha_caha"),
        ("Prolaryn Plus", "caha"),
        ("Prolaryn Gel", ""),
        ("Relleno con ácido hialurónico", "ha"),
        ("Infiltración de hidroxiapatita cálcica 3 mL", "caha 3 mL"),
        ("liquid silicone", "silicone"),
        ("paraffin injection", "paraffin"),
        ("Autologous fat graft (lipofilling)", "fat"),
        ("PDO threads", "absorbable_threads"),
        ("Metacrill", "pmma"),
        ("Belotero Volume 1 mL", "ha 1 mL"),
        ("Injection of subcutaneous filler material", "unknown"),
        ("relleno facial", "unknown"),
        ("Dermal filler: Radiesse", "caha"),
        ("Outline 2 ml", "paag 2 mL"),
        ("outline of the lesion", ""),
        ("radios of the arm, perfect contour, volume of fat, balance", ""),
        ("Patient denies filler", ""),
        ("Botox glabella 20 U", ""),
        ("Laparoscopic appendectomy", ""),
    ],
)
def test_products_are_read_from_prose(text: str, expected: str) -> None:
    assert brief(text) == expected


def test_botulinum_toxin_is_no_filler() -> None:
    assert names_another_injectable("Botulinum toxin A, forehead")
    assert names_another_injectable("Toxina botulínica")
    assert not names_another_injectable("Radiesse 1.5 mL")


def test_a_mention_keeps_name_and_words() -> None:
    (mention,) = products_in_text("Juvaderm voluma", load_knowledge())
    assert (mention.name, mention.words, mention.exact, mention.brand) == (
        "Juvederm Voluma",
        "Juvaderm voluma",
        False,
        True,
    )


def test_exchanged_neighbours_are_one_slip() -> None:
    assert distance("radeisse", "radiesse") == 1
    assert distance("radies", "radiesse") == 2
    assert distance("sculpture", "sculptra") == 2
