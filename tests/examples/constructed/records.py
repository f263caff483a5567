"""What a constructed situation is made of, and how each of the four styles writes it down as a FHIR Bundle."""

import base64
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SNOMED = "http://snomed.info/sct"
Resource = dict[str, Any]

SITE_CODES = {
    "Malar region": "36141000",
    "Nasolabial fold": "37108007",
    "Forehead": "68698007",
    "Temple": "16621002",
    "Upper lip": "16251004",
    "Chin": "23747009",
    "Jawline": "661005",
    "Preauricular region": "86719006",
    "Glabella": "244083007",
    "Buttock": "46862004",
    "Dorsum of hand": "281642007",
}
SHAPE_CODES = {"punctate": "129755006", "round": "129756007", "eggshell": "129751002", "linear": "129765000"}
SIDE_CODES = {"Left": "7771000", "Right": "24028007", "Bilateral": "51440002"}
# Test: LOINC mass and molar, units, factor, range in the first unit, name in English and Spanish.
TESTS: dict[str, tuple[str, str, str, str, float, float | None, float | None, str, str]] = {
    "calcium": ("17861-6", "2000-8", "mg/dL", "mmol/L", 0.2495, 8.6, 10.2, "Calcium, total", "Calcio total"),
    "phosphate": ("2777-1", "14879-1", "mg/dL", "mmol/L", 0.3229, 2.5, 4.5, "Phosphorus", "Fósforo"),
    "pth": ("2731-8", "14866-8", "pg/mL", "pmol/L", 0.106, 15, 65, "PTH, intact", "PTH intacta"),
    "vitd": ("62292-8", "14635-7", "ng/mL", "nmol/L", 2.496, 20, 60, "25-OH vitamin D", "Vitamina D (25-OH)"),
    "calcitriol": ("62290-2", "", "pg/mL", "", 1, 20, 79, "1,25-(OH)2 vitamin D", "1,25-(OH)2 vitamina D"),
    "creatinine": ("2160-0", "14682-9", "mg/dL", "umol/L", 88.42, 0.5, 1.1, "Creatinine", "Creatinina"),
    "egfr": (
        "98979-8",
        "",
        "mL/min/{1.73_m2}",
        "",
        1,
        60,
        None,
        "eGFR (CKD-EPI 2021)",
        "Filtrado glomerular (CKD-EPI)",
    ),
    "albumin": ("1751-7", "", "g/dL", "", 1, 3.5, 5.0, "Albumin", "Albúmina"),
    "ace": ("2742-5", "", "U/L", "", 1, 16, 85, "ACE, serum", "ECA"),
    "crp": ("1988-5", "", "mg/L", "", 1, 0, 5, "C-reactive protein", "Proteína C reactiva"),
    "ck": ("2157-6", "", "U/L", "", 1, 26, 192, "CK", "CK"),
    "pthrp": ("", "", "pmol/L", "", 1, None, 4.2, "PTH-related peptide", "Péptido relacionado con la PTH"),
    "urate": ("3084-1", "14933-6", "mg/dL", "umol/L", 59.48, 2.6, 7.2, "Urate", "Ácido úrico"),
}
NORMAL = {"calcium": 9.4, "phosphate": 3.4, "pth": 38, "vitd": 31, "creatinine": 0.8}


@dataclass(frozen=True, kw_only=True)
class Filler:
    """One procedure; `line` is how free text says it, `sites` (with `side`) what codes or fields say."""

    on: str | None
    product: str = ""
    sites: tuple[str, ...] = ()
    side: str = "Bilateral"
    line: str = ""
    cpt: str = "11951"
    status: str = "completed"
    device: str = ""  # a product the device register names, where it differs


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One coded imaging finding (style `coded` only)."""

    site: str
    side: str = "Bilateral"
    kind: str = "Soft tissue calcification"
    shape: str = ""
    depth: str = "subcutaneous fat"
    density: str = "calcific density"
    on_bone: bool | None = None
    hu: int | None = None
    mm: float | None = None


@dataclass(frozen=True, kw_only=True)
class Study:
    """One imaging study and the words of its report."""

    on: str
    title: str
    report: str
    modality: str = "CT"
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One condition on the problem list."""

    text: str
    icd10: str = ""
    onset: str | None = None
    status: str = "active"
    site: str = ""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One patient, and the answer decided before the service was asked."""

    id: str
    style: str
    about: str
    studies: tuple[Study, ...]
    top: tuple[str, ...]  # acceptable causes, the expected one first
    attribution: tuple[str, ...]  # acceptable attributions, the expected one first
    reason: str
    never_above: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    fillers: tuple[Filler, ...] = ()
    problems: tuple[Problem, ...] = ()
    medicines: tuple[str, ...] = ()
    labs: Mapping[str, float | str] = field(default_factory=dict)
    labs_on: str | None = None
    antibodies: dict[str, str] = field(default_factory=dict)
    sex: str = "female"
    born: str = "1974-03-09"
    language: str = "en"


class Writer:
    """Writes one situation down in its style; ids come from the situation's own seed."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.random = random.Random(situation.id)
        self.entries: list[Resource] = []
        self.by_urn = situation.style in ("text", "split")
        self.patient = self._add(
            {
                "resourceType": "Patient",
                "identifier": [
                    {"system": "https://ehr.example.org/mrn", "value": str(self.random.randrange(10**7, 10**8))}
                ],
                "name": [{"family": "Example", "given": [situation.id]}],
                "gender": situation.sex,
                **({"birthDate": situation.born} if situation.born else {}),
            }
        )

    def bundle(self) -> Resource:
        """The record as a FHIR Bundle."""
        situation = self.situation
        for problem in situation.problems:
            self._problem(problem)
        for medicine in situation.medicines:
            code = {"text": medicine}
            self._fact("MedicationStatement", status="active", medicationCodeableConcept=code)
        for filler in situation.fillers:
            self._filler(filler)
        for name, value in situation.labs.items():
            self._lab(name, value)
        for name, value in situation.antibodies.items():
            self._fact(
                "Observation",
                status="final",
                category=_category("laboratory"),
                code={"text": name},
                effectiveDateTime=self._labs_on(),
                valueCodeableConcept={"text": value},
            )
        for study in situation.studies:
            self._study(study)
        if situation.style == "document":
            self._beside_the_point()
            self.random.shuffle(self.entries)
        kinds = {"coded": "collection", "text": "transaction", "document": "searchset", "split": "collection"}
        kind = kinds[situation.style]
        if kind == "transaction":
            for entry in self.entries:
                entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
        return {"resourceType": "Bundle", "type": kind, "entry": self.entries}

    def _add(self, resource: Resource) -> str:
        if self.by_urn:
            name = f"urn:uuid:{uuid.UUID(int=self.random.getrandbits(128), version=4)}"
            self.entries.append({"fullUrl": name, "resource": resource})
            return name
        number = str(self.random.randrange(10**6, 10**7))
        name = f"{resource['resourceType']}/{number}"
        resource = {"resourceType": resource["resourceType"], "id": number, **resource}
        self.entries.append({"fullUrl": f"https://ehr.example.org/fhir/{name}", "resource": resource})
        return name

    def _fact(self, type_: str, **elements: Any) -> str:
        owner = "patient" if type_ == "Device" else "subject"
        told = {name: value for name, value in elements.items() if value not in (None, [], "")}
        return self._add({"resourceType": type_, owner: {"reference": self.patient}, **told})

    def _problem(self, problem: Problem) -> None:
        code: Resource = {"text": problem.text}
        if problem.icd10 and self.situation.style != "text":
            code["coding"] = [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": problem.icd10}]
        self._fact(
            "Condition",
            clinicalStatus=_status("condition-clinical", problem.status),
            verificationStatus=_status("condition-ver-status", "confirmed"),
            code=code,
            bodySite=[{"text": problem.site}] if problem.site else None,
            onsetDateTime=problem.onset,
        )

    def _filler(self, filler: Filler) -> None:
        style = self.situation.style
        code: Resource = {"text": filler.line or f"Filler injection {filler.product}".strip()}
        elements: Resource = {"status": filler.status, "performedDateTime": filler.on, "code": code}
        if style != "text":
            code["text"] = "Injection of subcutaneous filler material"
            code["coding"] = [{"system": "http://www.ama-assn.org/go/cpt", "code": filler.cpt}]
            if filler.cpt == "none":
                code.pop("coding")
                code["text"] = filler.line
        if style == "split" and filler.cpt != "none":
            elements["note"] = [{"text": filler.line}]
        if style == "coded":
            elements["bodySite"] = [_site(site, filler.side) for site in filler.sites]
            elements["usedCode"] = [{"text": filler.product}] if filler.product else None
        words = {"Bilateral": "both sides", "": ""}.get(filler.side, filler.side.lower())
        places = [{"text": f"{site} ({words})" if words else site} for site in filler.sites]
        if style == "document":
            elements["bodySite"] = places
        done = self._fact("Procedure", **elements)
        product = filler.device or filler.product
        if product and (style == "document" or filler.device):
            device = self._fact(
                "Device",
                status="active",
                deviceName=[{"name": product, "type": "manufacturer-name"}],
                type={"text": "Dermal filler"},
            )
            self._fact(
                "DeviceUseStatement",
                status="completed",
                timingDateTime=filler.on,
                derivedFrom=[{"reference": done}],
                bodySite=places[0] if places else None,
                device={"reference": device},
            )

    def _labs_on(self) -> str:
        return self.situation.labs_on or self.situation.studies[0].on

    def _lab(self, name: str, value: float | str) -> None:
        mass, molar, unit, molar_unit, factor, low, high, english, spanish = TESTS[name]
        text = spanish if self.situation.language == "es" else english
        code: Resource = {"text": text, **({"coding": [{"system": "http://loinc.org", "code": mass}]} if mass else {})}
        comparator = value[0] if isinstance(value, str) else None
        number = float(value.lstrip("<>")) if isinstance(value, str) else float(value)
        if self.situation.style == "document" and molar:
            code["coding"][0]["code"] = molar
            unit, number = molar_unit, round(number * factor, 2)
            low, high = (round(limit * factor, 2) if limit is not None else None for limit in (low, high))
        if self.situation.style == "text" and self.random.random() < 0.5:
            code.pop("coding", None)
        quantity: Resource = {"value": number, "unit": unit}
        if comparator:
            quantity["comparator"] = comparator
        if self.situation.style != "text":
            quantity |= {"system": "http://unitsofmeasure.org", "code": unit}
        limits = {"low": low, "high": high}
        self._fact(
            "Observation",
            status="final",
            category=_category("laboratory"),
            code=code,
            effectiveDateTime=self._labs_on(),
            valueQuantity=quantity,
            referenceRange=[
                {end: {"value": limit, "unit": unit} for end, limit in limits.items() if limit is not None}
            ],
        )

    def _study(self, study: Study) -> None:
        imaging = self._fact(
            "ImagingStudy",
            status="available",
            started=f"{study.on}T10:20:00Z" if len(study.on) == 10 else study.on,
            description=study.title,
            modality=[
                {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": code}
                for code in study.modality.split("+")
            ],
        )
        coded = study.findings if self.situation.style == "coded" else ()
        results = [{"reference": self._finding(item, study, imaging)} for item in coded]
        words: Resource = {"conclusion": study.report}
        if self.situation.style == "document":
            page = self.random.random() < 0.5
            text = f"<html><body><h3>{study.title}</h3>\n<p>{study.report}</p></body></html>" if page else study.report
            attachment = {
                "contentType": "text/html" if page else "text/plain",
                "language": self.situation.language,
                "data": base64.b64encode(text.encode()).decode(),
                "title": study.title,
            }
            words = {"presentedForm": [attachment]}
        self._fact(
            "DiagnosticReport",
            status="final",
            category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}],
            code={"text": study.title},
            effectiveDateTime=study.on,
            imagingStudy=[{"reference": imaging}],
            result=results,
            **words,
        )

    def _finding(self, finding: Finding, study: Study, imaging: str) -> str:
        shape: Resource = {"text": finding.shape}
        if finding.shape in SHAPE_CODES:
            shape["coding"] = [{"system": SNOMED, "code": SHAPE_CODES[finding.shape]}]
        side = {"text": finding.side}
        parts: list[tuple[str, str, Any]] = [
            ("Morphology", "valueCodeableConcept", shape if finding.shape else None),
            ("Density", "valueCodeableConcept", {"text": finding.density} if finding.density else None),
            ("Depth", "valueCodeableConcept", {"text": finding.depth} if finding.depth else None),
            ("Laterality", "valueCodeableConcept", side if finding.side else None),
            ("Attached to bone", "valueBoolean", finding.on_bone),
            ("Attenuation", "valueQuantity", _quantity(finding.hu, "HU", "[hnsf'U]")),
            ("Size", "valueQuantity", _quantity(finding.mm, "mm", "mm")),
        ]
        return self._fact(
            "Observation",
            status="final",
            category=_category("imaging"),
            code={"text": finding.kind},
            effectiveDateTime=study.on,
            bodySite=_site(finding.site, ""),
            derivedFrom=[{"reference": imaging}],
            component=[{"code": {"text": name}, key: value} for name, key, value in parts if value is not None],
        )

    def _beside_the_point(self) -> None:
        self._fact(
            "Procedure", status="completed", code={"text": "Laparoscopic appendectomy"}, performedDateTime="2004-05"
        )
        self._fact("Encounter", status="finished", **{"class": {"code": "AMB"}}, type=[{"text": "Office visit"}])
        self._fact(
            "Observation",
            status="final",
            category=_category("vital-signs"),
            code={"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Body weight"},
            effectiveDateTime="2019-04-02",
            valueQuantity={"value": 68.4, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        )


def _quantity(value: float | None, unit: str, code: str) -> Resource | None:
    return (
        None if value is None else {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": code}
    )


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _category(code: str) -> list[Resource]:
    return [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": code}]}]


def _site(name: str, side: str) -> Resource:
    site: Resource = {"text": f"{name}, {side.lower()}" if side else name}
    if name in SITE_CODES:
        site["coding"] = [{"system": SNOMED, "code": SITE_CODES[name]}]
    return site
