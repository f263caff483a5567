from fhir_mappings.canonical import CONFIDENTIALITY
from fhir_mappings.security_labels import strictest_labels

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def labelled(*labels: object) -> dict[str, object]:
    return {"resourceType": "Procedure", "meta": {"security": list(labels)}}


def test_strictest_confidentiality_and_every_other_label() -> None:
    resources = [
        labelled({"system": CONFIDENTIALITY, "code": "N"}),
        labelled({"system": CONFIDENTIALITY, "code": "V", "extension": [{}]}, {"system": ACT, "code": "HIV"}),
        labelled(
            {"system": CONFIDENTIALITY, "code": "R"},
            {"system": ACT, "code": "HIV"},
            {"display": "no code"},
            {"code": "REDACTED"},
        ),
    ]
    assert strictest_labels(resources) == (
        {"system": CONFIDENTIALITY, "code": "V"},
        {"system": ACT, "code": "HIV"},
    )


def test_odd_metas_and_no_labels() -> None:
    assert strictest_labels([{}, {"meta": "x"}, {"meta": {"security": {}}}, labelled("x")]) == ()
