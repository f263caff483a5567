"""This file holds resources broken by hand: what HL7's rules forbid and a change of one element does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_TEXT: Final = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
_CODE: Final = {"text": "x"}
_PATIENT: Final = {"reference": "Patient/1"}
_UCUM: Final = "http://unitsofmeasure.org"
_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"

_BASES: Final[dict[str, dict[str, Any]]] = {
    "Patient": {},
    "Observation": {"status": "final", "code": _CODE, "subject": _PATIENT, "effectiveDateTime": "2020"},
    "Condition": {
        "subject": _PATIENT,
        "code": _CODE,
        "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active"}]},
    },
    "DiagnosticReport": {"status": "final", "code": _CODE},
    "Organization": {},
    "ImagingStudy": {"status": "available", "subject": _PATIENT},
    "AllergyIntolerance": {"patient": _PATIENT},
    "MedicationStatement": {"status": "active", "subject": _PATIENT, "medicationCodeableConcept": _CODE},
    "MedicationRequest": {"status": "active", "intent": "order", "subject": _PATIENT},
    "MedicationAdministration": {
        "status": "completed",
        "subject": _PATIENT,
        "medicationCodeableConcept": _CODE,
        "effectiveDateTime": "2020",
    },
}


def hand_broken() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each of them with its name: `(name, resource)`. Some are not broken at all: nothing may be claimed of them."""
    for type_, forms in _FORMS.items():
        for name, elements in forms.items():
            whole = {"resourceType": type_, "text": _TEXT, **_BASES[type_], **elements}
            yield f"{type_} {name}", {key: value for key, value in whole.items() if value is not None}


def _contained(*resources: dict[str, Any], subject: str = "#p") -> dict[str, Any]:
    return {"contained": list(resources), "subject": {"reference": subject}}


def _extension(**content: Any) -> dict[str, Any]:
    return {"extension": [content]}


def _photo(**content: Any) -> dict[str, Any]:
    return {"photo": [content]}


def _div(inner: str) -> dict[str, Any]:
    return {"text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>'}}


def _coded(**coding: Any) -> dict[str, Any]:
    return {"interpretation": [{"coding": [coding]}]}


def _period(start: str, end: str) -> dict[str, Any]:
    return {"effectiveDateTime": None, "effectivePeriod": {"start": start, "end": end}}


_INNER: Final = {"resourceType": "Patient", "id": "p"}
_CT: Final = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}
_SERIES: Final = {"uid": "1.2", "modality": _CT}
_SOP: Final = {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2"}
_UNITS: Final = (
    *("IU/L", "[iU]/L", "10^3/uL", "x10E3/uL", "10*3/uL", "meq/L", "mEq/L", "K/uL", "%", "mmHg", "mm[Hg]", "[pH]"),
    *("kg/m2", "mL/min/{1.73_m2}", "ml/min/1.73m2", "Cel", "mcg", "g/dl", "{cells}/uL", "cells/uL", "10*-3", "m-2"),
    *("sec", "HU", "[hnsf'U]", "1/min", "B[10.nV]", "mg/(24.h)", "a", "{}", "2mg", "10 mg", "{a b}"),
)

_FORMS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "Patient": {
        "narrative with a named entity": _div("a&nbsp;b"),
        "narrative with style": _div("<style>x</style>a"),
        "narrative with a handler": _div('<p onclick="a()">a</p>'),
        "narrative with a form": _div("<form>a</form>"),
        "narrative without words": _div(" "),
        "narrative with a lone image": _div('<img src="#a"/>'),
        "narrative with a comment": _div("<!-- c -->a"),
        "narrative that is not XML": _div("a & b"),
        "narrative without status": {"text": {"div": _TEXT["div"]}},
        "photo without type": _photo(data="YWJj"),
        "photo with another hash": _photo(contentType="image/png", data="YWJj", hash="YWJj"),
        "photo with another size": _photo(contentType="image/png", data="YWJj", size=99),
        "photo that is not base64": _photo(contentType="image/png", data="***"),
        "photo of a wrong length": _photo(contentType="image/png", data="YWJ"),
        "language that is none": {"language": "english language"},
        "extension without url": _extension(valueString="x"),
        "extension with a relative url": _extension(url="x", valueString="x"),
        "extension with value and extensions": _extension(
            url="http://e.org/x", valueString="x", extension=[{"url": "a", "valueString": "b"}]
        ),
        "extension with nothing": _extension(url="http://e.org/x"),
        "extension with extensions": _extension(url="http://e.org/x", extension=[{"url": "a", "valueString": "b"}]),
        "extension with a value of no type": _extension(url="http://e.org/x", valueFoo="b"),
        "extension of HL7 with another type": _extension(
            url="http://hl7.org/fhir/StructureDefinition/patient-birthPlace", valueString="x"
        ),
        "simple value with an extension": {
            "birthDate": "2020",
            "_birthDate": {"extension": [{"url": "http://e.org/x", "valueString": "b"}]},
        },
        "extension in place of a simple value": {
            "_birthDate": {"extension": [{"url": "http://e.org/x", "valueString": "b"}]}
        },
        "shadow that is no object": {"birthDate": "2020", "_birthDate": 1},
        "shadow with another field": {"birthDate": "2020", "_birthDate": {"foo": 1}},
        "shadow longer than the list": {
            "name": [{"given": ["a"], "_given": [None, {"extension": [{"url": "http://e.org/x", "valueString": "b"}]}]}]
        },
        "identifier with an OID that is none": {"identifier": [{"system": "urn:oid:abc", "value": "1"}]},
        "identifier with a UUID that is none": {"identifier": [{"system": "urn:uuid:abc", "value": "1"}]},
        "identifier with a relative system": {"identifier": [{"system": "abc", "value": "1"}]},
        "identifier that is a URI": {"identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}]},
        "meta with wrong forms": {"meta": {"lastUpdated": "2020", "versionId": "a b", "source": "a b"}},
        "security label that is none": {
            "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "QQ"}]}
        },
        "profile that is not known": {"meta": {"profile": ["http://e.org/StructureDefinition/x"]}},
        "number as text": {"multipleBirthInteger": "2"},
        "number too large": {"multipleBirthInteger": 2**31},
        "gender in a list": {"gender": ["male"]},
        "year zero": {"birthDate": "0000"},
        "date without zeros": {"birthDate": "2020-1-1"},
        "text with blanks around": {"name": [{"family": " x "}]},
    },
    "Observation": {
        "with value and reason for none": {"valueString": "x", "dataAbsentReason": _CODE},
        "with the value of a component of its own code": {
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "valueString": "x",
            "component": [{"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueString": "y"}],
        },
        "with two values": {"valueString": "x", "valueBoolean": True},
        "with a value of a type it cannot have": {"valueAttachment": {"title": "x"}},
        "with a value of no type": {"valueFoo": 1},
        "with a wrong time": {"valueTime": "25:00"},
        "with every type of value: Quantity": {"valueQuantity": {"value": 1}},
        "with every type of value: CodeableConcept": {"valueCodeableConcept": _CODE},
        "with every type of value: integer": {"valueInteger": 1},
        "with every type of value: Range": {"valueRange": {"low": {"value": 1}}},
        "with every type of value: Ratio": {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 2}}},
        "with every type of value: SampledData": {
            "valueSampledData": {"origin": {"value": 1}, "period": 1, "dimensions": 1, "data": "1 2"}
        },
        "with every type of value: time": {"valueTime": "10:00:00"},
        "with every type of value: dateTime": {"valueDateTime": "2020"},
        "with every type of value: Period": {"valuePeriod": {"start": "2020"}},
        "code without a code": {
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category"}]}]
        },
        "one code good, one none": {
            "interpretation": [
                {"coding": [{"system": _INTERPRETATION, "code": "H"}, {"system": _INTERPRETATION, "code": "qqq"}]}
            ]
        },
        "display of another": _coded(system=_INTERPRETATION, code="H", display="Banana"),
        "relative system": _coded(system="foo", code="H"),
        "code system of nobody": _coded(system="http://terminology.hl7.org/CodeSystem/nosuch", code="H"),
        "contained and not referred to": {"contained": [_INNER]},
        "contained and referred to": _contained(_INNER),
        "contained without a type": {"contained": [{"id": "p"}]},
        "contained of no type": {"contained": [{"resourceType": "Nope", "id": "p"}]},
        "contained of a type that may not be": _contained({"resourceType": "Practitioner", "id": "p"}),
        "contained in contained": _contained(
            {
                **_INNER,
                "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
                "managingOrganization": {"reference": "#o"},
            }
        ),
        "contained with meta": _contained(
            {**_INNER, "meta": {"versionId": "1", "security": [{"system": "http://e.org", "code": "x"}]}}
        ),
        "contained and broken": _contained({**_INNER, "gender": "xx", "active": "no"}),
        "contained of a type that is not kept": {
            "contained": [{"resourceType": "DeviceMetric", "id": "p"}],
            "device": {"reference": "#p"},
        },
        "contained that is no object": {"contained": ["x"]},
        "contained twice": _contained(_INNER, _INNER),
        "reference to an absolute address of another type": {"subject": {"reference": "http://e.org/fhir/Basic/1"}},
        "reference to any address": {"subject": {"reference": "http://e.org/whatever"}},
        "reference to a UUID": {"subject": {"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}},
        "reference to no type": {"subject": {"reference": "Nope/1"}},
        "reference by a search": {"subject": {"reference": "Patient?identifier=a|b"}},
        "reference to a version": {"subject": {"reference": "Patient/1/_history/2"}},
        "reference to the container": {"subject": {"reference": "#"}},
        "reference with a blank": {"subject": {"reference": "Patient/a b"}},
        "reference by type alone": {"subject": {"type": "Basic", "display": "x"}},
        "hour 24": {"effectiveDateTime": "2020-01-01T24:00:00Z"},
        "second 60": {"effectiveDateTime": "2020-01-01T10:00:60Z"},
        "zone 15": {"effectiveDateTime": "2020-01-01T10:00:00+15:00"},
        "period of one day, turned round": _period("2020-01-01T10:00:00Z", "2020-01-01T09:00:00Z"),
        "period over zones, in order": _period("2020-01-01T10:00:00+02:00", "2020-01-01T09:00:00Z"),
        "period over zones, turned round": _period("2020-01-01T10:00:00-02:00", "2020-01-01T11:00:00Z"),
        "period of another precision": _period("2020-06", "2020"),
        "period of another precision, turned round": _period("2020-02-01", "2020-01"),
        "range in two units": {"valueRange": {"low": {"value": 3, "unit": "g"}, "high": {"value": 2, "unit": "mg"}}},
        "range in one unit, turned round": {
            "valueRange": {"low": {"value": 3, "unit": "g"}, "high": {"value": 2, "unit": "g"}}
        },
        **{f"unit {unit}": {"valueQuantity": {"value": 1, "system": _UCUM, "code": unit}} for unit in _UNITS},
        "extension of HL7 out of place": _extension(
            url="http://hl7.org/fhir/StructureDefinition/patient-birthPlace", valueAddress={"text": "x"}
        ),
    },
    "Condition": {
        "ended and active": {"abatementDateTime": "2020"},
        "withdrawn and active": {
            "verificationStatus": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                        "code": "entered-in-error",
                    }
                ]
            }
        },
        "status without a system": {"clinicalStatus": {"coding": [{"code": "active"}]}},
        "status beside another": {
            "clinicalStatus": {
                "coding": [{"system": "http://e.org", "code": "x"}, {"system": _CLINICAL, "code": "active"}]
            }
        },
        "age below zero": {"onsetAge": {"value": -5, "system": _UCUM, "code": "a"}},
        "age in another system": {"onsetAge": {"value": 5, "system": "http://e.org", "code": "a"}},
        "age without a unit": {"onsetAge": {"value": 5}},
        "stage and evidence with nothing": {"stage": [{"type": _CODE}], "evidence": [{"id": "a"}]},
    },
    "DiagnosticReport": {
        "attachment with its hash": {
            "presentedForm": [
                {"contentType": "text/plain", "data": "YWJj", "hash": "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "size": 3}
            ]
        },
        "imaging study that is none": {"imagingStudy": [{"reference": "Observation/1"}]},
    },
    "Organization": {
        "without name and identifier": {},
        "at home": {
            "name": "x",
            "address": [{"use": "home"}],
            "telecom": [{"use": "home", "value": "1"}, {"system": "phone", "use": "home", "value": "2"}],
        },
    },
    "ImagingStudy": {
        "series with a prefix in its uid": {
            "series": [{**_SERIES, "uid": "urn:oid:1.2", "instance": [{"uid": "1.2", "sopClass": _SOP}]}]
        },
        "modality that DICOM does not have": {"series": [{**_SERIES, "modality": {**_CT, "code": "CTX"}}]},
        "series and instance with nothing": {"series": [{"instance": [{"id": "a"}]}]},
    },
    "AllergyIntolerance": {"without a status": {}},
    "MedicationStatement": {
        "timing that breaks every rule": {
            "dosage": [
                {
                    "timing": {
                        "repeat": {
                            "period": -1,
                            "duration": -1,
                            "countMax": 2,
                            "offset": 5,
                            "timeOfDay": ["10:00:00"],
                            "when": ["C"],
                            "periodUnit": "zz",
                            "boundsDuration": {"value": 1, "code": "mg"},
                        }
                    },
                    "maxDosePerPeriod": {"numerator": {"value": 1}},
                }
            ]
        },
        "timing without its other half": {
            "dosage": [{"timing": {"repeat": {"periodMax": 2, "durationMax": 3, "duration": 1}}}]
        },
    },
    "MedicationRequest": {
        "of a device for a practitioner": {
            "subject": {"reference": "Practitioner/1"},
            "medicationReference": {"reference": "Device/1"},
            "dispenseRequest": {"quantity": {"value": 1, "comparator": "<"}},
        },
    },
    "MedicationAdministration": {"dosage without a dose": {"dosage": {"text": "a"}}},
}
