"""This file names what the engine reasons on: one patient's facts in time, without name or birth date.

Every fact points back to the resource it was read from (`ResourceRef`) and keeps the words it was read
from (`quote`), so that a reader of the report can check it. Dates are ranges; `None` is "not known".
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from correlation.dates import DateRange


class Side(StrEnum):
    """A side of the body. Both sides are written as the set of left and right."""

    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRef:
    """The FHIR resource a fact was read from.

    `reference` has the form of the input (`Procedure/p1`, `urn:uuid:…`, an absolute URL, or `#id` behind the
    reference of its container); `version` is `meta.versionId`; `sha256` is the hex digest of the resource as kept.
    """

    type: str
    reference: str
    version: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySite:
    """A region of `knowledge/regions.toml` with the sides that were stated; no side means none was stated."""

    region: str
    sides: frozenset[Side] = frozenset()
    stated_as: str = ""  # the words or code it was read from


class Certainty(StrEnum):
    """How surely a fact stands in the record."""

    STATED = "stated"
    POSSIBLE = "possible"  # "possible", "cannot exclude", unconfirmed
    HISTORY = "history"  # "known", "previous", "history of"
    NEGATED = "negated"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillerInjection:
    """One injection (or thread, implant, fat graft): what, when and where, and whether it may count.

    `material` is an id of `knowledge/materials/`, `unknown` where the record does not say.
    `recognised_by` says how the product was recognised, such as `usedCode text "Radiesse"`.
    `ignored_because` is set where the record itself forbids counting it (not done, entered in error);
    it is then shown and never counted. `source_certainty` is `recorded` or `patient-reported`.
    """

    source: ResourceRef
    performed: DateRange | None
    material: str
    product: str
    recognised_by: str
    sites: tuple[BodySite, ...] = ()
    volume_ml: Decimal | None = None
    dilution: Decimal | None = None  # parts of diluent per part of product; 2 for "1:2"
    source_certainty: str = "recorded"
    ignored_because: str | None = None
    quote: str = ""
    also_from: tuple[ResourceRef, ...] = ()  # Device, DeviceUseStatement that named product or site


@dataclass(frozen=True, slots=True, kw_only=True)
class LabResult:
    """One laboratory result in the analyte's own unit (`knowledge/labs.toml`).

    `value` is `None` for a purely qualitative result (`positive`, `negative` in `qualitative`) or for one whose unit
    could not be converted (`unusable_because` says why). `comparator` is `<`, `<=`, `>=` or `>` for a censored value.
    `low`/`high` come from the record; where it gives none they are the adult default and `range_is_default` is true.
    `range_as_written` is the same range for a reader, in the unit of `as_written` ("8.6 to 10.2 mg/dL").
    """

    source: ResourceRef
    test: str
    collected: DateRange | None
    value: Decimal | None
    unit: str
    as_written: str
    low: Decimal | None = None
    high: Decimal | None = None
    range_is_default: bool = False
    range_as_written: str = ""
    comparator: str | None = None
    qualitative: str | None = None
    preliminary: bool = False
    unusable_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingExam:
    """One imaging study. `modalities` are DICOM codes (CT, MR, US, DX, PT …).

    `reported` is true when a report or a coded finding of it is in reach; without, absence of findings means nothing.
    """

    source: ResourceRef
    started: DateRange | None
    modalities: frozenset[str] = frozenset()
    description: str = ""
    regions: tuple[BodySite, ...] = ()
    reported: bool = False
    reports: tuple[ResourceRef, ...] = ()


class FindingKind(StrEnum):
    """What a radiologist described. Only the kinds in `TARGET_KINDS` ask for an explanation."""

    CALCIFICATION = "calcification"
    DEPOSIT = "deposit"  # soft-tissue material whose calcium cannot be told (MRI, ultrasound)
    MASS = "mass"
    CYST = "cyst"
    CALCULUS = "calculus"  # stone in a duct or gland
    OSSIFICATION = "ossification"
    METAL = "metal"
    IMPLANT = "implant"
    UPTAKE = "uptake"  # FDG uptake without a described deposit
    DISTRACTOR = "distractor"  # dental amalgam, carotid siphon, tonsillolith, retention cyst: read, named, not assessed


TARGET_KINDS = frozenset(FindingKind) - {FindingKind.DISTRACTOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingFinding:
    """One finding at one site on one exam, as coded or as read from the report's words.

    `tissue` is one of: dermis, subcutaneous_fat, supraperiosteal, fascia, muscle, tendon, periarticular, vessel,
    duct, gland, node, bone, sinus, organ, or `None`. `morphology` holds words of: plaque, linear, clump, punctate,
    nodular, round, rim, eggshell, laminated, sheet, tram_track, reticular, zonal, amorphous, diffuse, stippled,
    comet_tail, snowstorm, mass, elongated. `density` is one of: calcific, metallic, fat, soft_tissue, fluid, high,
    faint, or `None`.
    `on_bone`: True attached to bone, False described as separate, None not described.
    `change` against an earlier study: decreased, increased, stable, new, residual or `None`.
    """

    source: ResourceRef
    exam: ResourceRef | None
    seen: DateRange | None
    kind: FindingKind
    site: BodySite | None
    certainty: Certainty = Certainty.STATED
    tissue: str | None = None
    morphology: frozenset[str] = frozenset()
    density: str | None = None
    on_bone: bool | None = None
    attenuation_hu: tuple[Decimal, Decimal] | None = None
    size_mm: Decimal | None = None
    count: str | None = None  # "single", "multiple" as described
    change: str | None = None
    suv_max: Decimal | None = None
    signs: frozenset[str] = (
        frozenset()
    )  # further words of note: enhancement, ductal_dilatation, bone_destruction, abscess …
    modalities: frozenset[str] = frozenset()
    quote: str = ""
    recognised_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalCondition:
    """A condition on record that a rule asks for. `concept` is an id of `fhir_mappings/codes/conditions.toml`."""

    source: ResourceRef
    concept: str
    text: str
    onset: DateRange | None = None
    active: bool = True
    site: BodySite | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Medication:
    """A medicine on record that a rule asks for. `concept` is an id of `fhir_mappings/codes/medications.toml`."""

    source: ResourceRef
    concept: str
    text: str
    active: bool = True


class DataClass(StrEnum):
    """A class of data that a record can hold, as a reader thinks of it."""

    PERSON = "person"  # who the patient is: sex, age
    FILLER_HISTORY = "filler-history"  # procedures, and the products used in them
    IMAGING = "imaging"  # studies and the radiologists' reports
    OBSERVATIONS = "observations"  # laboratory results and coded imaging findings
    CONDITIONS = "conditions"
    MEDICINES = "medicines"


class WithheldBecause(StrEnum):
    """Why data that may exist could not be seen."""

    MASKED = "masked"  # a server sent resources with parts taken out
    NOT_PERMITTED = "not-permitted"  # the access of who asked does not reach so far
    LIMITED = "limited"  # the access reaches a part of the class only
    NOT_FETCHED = "not-fetched"  # a server failed while it was asked
    CONFIDENTIAL = "confidential"  # labelled as more confidential than the reader may see


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Withheld:
    """A class of data that could not be seen, or not wholly, and why. It says nothing of what is in it."""

    data: DataClass
    because: WithheldBecause


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientTimeline:
    """All facts of one patient that the engine may use, each tuple in date order (unknown dates last).

    `findings` may hold negated ones (`Certainty.NEGATED`): they say that something was looked for and not seen.
    `age_years` is the least and greatest possible age on the day of the newest imaging, or on `as_of` without imaging.
    `sex` is `female`, `male` or `None`. `withheld` names the classes of data that could not be seen: what they
    hold may speak for or against anything.
    """

    injections: tuple[FillerInjection, ...] = ()
    labs: tuple[LabResult, ...] = ()
    exams: tuple[ImagingExam, ...] = ()
    findings: tuple[ImagingFinding, ...] = ()
    conditions: tuple[ClinicalCondition, ...] = ()
    medications: tuple[Medication, ...] = ()
    sex: str | None = None
    age_years: tuple[int, int] | None = None
    withheld: tuple[Withheld, ...] = ()
