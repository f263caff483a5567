"""Fillers told in problem lists, reasons for a visit and histories: counted as told, never from another person's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.fhir_mappings.reading import SUBJECT, details, mapped, procedure


def condition(text: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "code": {"text": text}, **fields}


@pytest.mark.parametrize(
    ("text", "material", "performed", "regions"),
    [
        ("Rellenos faciales con Radiesse en 2023 (pómulos)", "caha", "2023", {"malar"}),
        ("Inyecciones de parafina en mejillas en los años 90", "paraffin", "1990-01-01 to 1999-12-31", {"cheek"}),
        ("History of liquid silicone injections to the buttocks, 03/2009", "silicone", "2009-03", {"buttock"}),
    ],
)
def test_a_filler_among_the_problems_is_an_exposure_as_the_patient_told(
    text: str, material: str, performed: str, regions: set[str]
) -> None:
    result = mapped(condition(text))
    (told,) = result.timeline.injections
    assert (told.material, str(told.performed), {site.region for site in told.sites}) == (material, performed, regions)
    assert told.source_certainty == "patient-reported"
    assert "told-filler" in details(result)


@pytest.mark.parametrize(
    "text",
    [
        "Mother had Radiesse in the cheeks in 2019",
        "Patient declined Radiesse",
        "Considering Radiesse to the cheeks",
        "Alergia a Radiesse",
        "Niega rellenos con Radiesse",
        "Silicone breast prosthesis rupture ruled out, no filler",
        "Vitamin D deficiency",
        "Rotura de ligamento",
    ],
)
def test_what_was_not_put_into_this_patient_is_no_exposure(text: str) -> None:
    assert mapped(condition(text)).timeline.injections == ()


@pytest.mark.parametrize(
    "text",
    [
        "Her mum had Radiesse in the cheeks in 2023",
        "Partner received Radiesse, cheeks, 2023",
        "Mother's history:\nRadiesse cheeks 2023",
        "FH: Radiesse cheeks 2023",
        "Advised Radiesse to the cheeks in 2023",
        "Booked for Radiesse cheeks, December 2023",
        "Consented for Radiesse cheeks 2023",
        "Radiesse cheeks 2023 was cancelled",
        "Nurse, trained in Radiesse to cheeks 2023",
        "Cheek deposits mimicking Radiesse, 2023",
        "? Radiesse cheeks 2023",
        "Radiesse cheeks 2023?",
        "R/o Radiesse cheeks 2023",
        "Afraid of Radiesse cheeks 2023",
        "Su pareja: Radiesse en pómulos en 2023",
        "Suegra con Radiesse en pómulos en 2023",
        "AF: Radiesse pómulos 2023",
        "Se recomienda Radiesse en pómulos, 2023",
        "Pendiente de Radiesse en pómulos, 2023",
        "Le gustaría Radiesse en pómulos, 2023",
        "Presupuesto de Radiesse en pómulos, 2023",
        "Radiesse en pómulos 2023 anulado",
        "Compatible con Radiesse en pómulos, 2023",
        "¿Radiesse en pómulos en 2023?",
        "Jamás Radiesse en pómulos en 2023",
        "Comercial de Radiesse, pómulos, 2023",
    ],
)
def test_what_leaves_open_whether_this_patient_had_it_is_named_and_not_counted(text: str) -> None:
    result = mapped(condition(text))
    assert result.timeline.injections == ()
    assert "told-filler" in details(result)


@pytest.mark.parametrize(
    "text",
    [
        "Patient reports Radiesse injections to both cheeks in May 2019 at an outside clinic",
        "s/p Radiesse filler, cheeks, 2020",
        "Botox forehead 2021, Radiesse cheeks 2021",
        "Refiere infiltración de Radiesse en pómulos en 2020 en otro centro",
        "Se le inyectó Radiesse en mejillas en 2020",
        "Granuloma por Radiesse inyectado en mejillas en 2020",
    ],
)
def test_what_tells_clearly_of_a_filler_received_is_counted(text: str) -> None:
    assert [one.material for one in mapped(condition(text)).timeline.injections] == ["caha"]


def test_an_answer_about_the_family_tells_nothing_of_the_patient() -> None:
    answer = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": SUBJECT,
        "code": {"text": "Family history of cosmetic procedures"},
        "valueString": "Radiesse in the cheeks, 2023",
    }
    assert mapped(answer).timeline.injections == ()


def test_a_doubtful_problem_and_an_allergy_tell_nothing() -> None:
    doubt = condition("Radiesse 2020 in cheeks", verificationStatus={"coding": [{"code": "unconfirmed"}]})
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "patient": SUBJECT, "code": {"text": "Radiesse"}}
    assert mapped(doubt, allergy).timeline.injections == ()


def test_what_a_procedure_records_is_not_told_twice() -> None:
    result = mapped(procedure(), condition("Radiesse in the cheeks, years ago"))
    assert [one.source.type for one in result.timeline.injections] == ["Procedure"]


def test_the_onset_of_a_complication_is_not_the_date_of_the_filler() -> None:
    plain = mapped(condition("Radiesse filler of the chin", onsetDateTime="2019-05-02")).timeline.injections[0]
    nodule = mapped(condition("Nodules after Radiesse", onsetDateTime="2019-05-02")).timeline.injections[0]
    assert (str(plain.performed), nodule.performed) == ("2019-05-02", None)


def test_social_history_and_the_reason_for_a_visit_are_read() -> None:
    history = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": SUBJECT,
        "code": {"text": "Cosmetic procedures"},
        "valueString": "Sculptra to both temples in 2018. Sister had Radiesse.",
    }
    visit = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "subject": SUBJECT,
        "reasonCode": [{"text": "Swelling after Aquamid in the lips, 2008"}],
    }
    found = {(one.material, str(one.performed)) for one in mapped(history, visit).timeline.injections}
    assert found == {("plla", "2018"), ("paag", "2008")}


@pytest.mark.parametrize(
    ("text", "material"),
    [
        ("Metacrilato en glúteos", "pmma"),
        ("CaHA jawline both sides", "caha"),
        ("Mesoterapia facial con vitaminas", "unknown"),
        ("Injection of vitamins, cheeks", "unknown"),
        ("radiesse zigomatic, nasolabal bilat", "caha"),
    ],
)
def test_a_material_at_a_site_needs_no_volume(text: str, material: str) -> None:
    (found,) = mapped(procedure(code={"text": text})).timeline.injections
    assert found.material == material


@pytest.mark.parametrize(
    "text",
    [
        "Vitamin B12 intramuscular injection, left buttock",
        "Collagen dressing, buttock ulcer",
        "Silicone sheeting for chest scar",
        "Paraffin bath of both hands",
        "Mesoterapia capilar",
    ],
)
def test_a_medicine_or_a_dressing_is_no_filler(text: str) -> None:
    assert mapped(procedure(code={"text": text})).timeline.injections == ()


def test_a_date_in_words_serves_where_no_other_is_sent() -> None:
    undated = procedure(code={"text": "Radiesse pómulos, marzo de 2022, exp 2024-05"})
    del undated["performedDateTime"]
    (found,) = mapped(undated).timeline.injections
    assert str(found.performed) == "2022-03"


def test_misspelt_sites_and_both_sides_in_every_spelling() -> None:
    for text in (
        "radiesse zigomatic R/L",
        "radiesse zygoma bilat",
        "Radiesse cigoma dcho e izdo",
        "Radiesse each zygoma",
    ):
        (found,) = mapped(procedure(code={"text": text})).timeline.injections
        assert [(one.region, len(one.sides)) for one in found.sites] == [("zygomatic", 2)], text


def test_a_used_code_names_the_product() -> None:
    code = {"coding": [{"system": "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "Q2026"}]}
    (found,) = mapped(procedure(code={"text": "Dermal filler, cheek"}, usedCode=[code])).timeline.injections
    assert found.material == "caha"


@pytest.mark.parametrize(
    ("text", "dilution"),
    [
        ("Radiesse 1.5 mL diluted 1:2, neck", "2"),
        ("Radiesse 1.5 mL + 1.5 mL NaCl 0.9%, escote", "1"),
        ("CaHA 1.5 mL diluted with 3 mL saline, neck", "2"),
        ("Radiesse 1,5 ml con 3 ml de suero, cuello", "2"),
        ("Radiesse (+) 1.5 mL with lidocaine, cheeks", "None"),
    ],
)
def test_dilution_as_ratio_or_as_volumes(text: str, dilution: str) -> None:
    (found,) = mapped(procedure(code={"text": text})).timeline.injections
    assert (str(found.volume_ml).replace(",", "."), str(found.dilution)) == ("1.5", dilution)
