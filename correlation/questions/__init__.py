"""This file lists every question a cause may ask, by its id in `knowledge/causes/`, with the function that answers it.

`PER_FINDING` questions look at one finding; the others look at the patient and are asked once. The same function may
answer under several ids (`phosphate_high`, `pth_high`): the id names the question, its parameters stand in the TOML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from correlation.chart import Asked, Case, Chart, Said
from correlation.questions import course, density, form, history, imaging, labs, product, site, timing

AskPatient = Callable[[Chart, Asked], Said]
AskFinding = Callable[[Case, Asked], Said]

PER_FINDING: Mapping[str, AskFinding] = {
    "injected_before_finding": timing.injected_before_finding,
    "still_expected": timing.still_expected,
    "bulky_when_late": timing.bulky_when_late,
    "site_in_reach": site.site_in_reach,
    "side_matches": site.side_matches,
    "in_filler_territory": site.in_filler_territory,
    "region_fits": site.region_fits,
    "tissue_fits": site.tissue_fits,
    "off_bone": site.off_bone,
    "on_bone": site.on_bone,
    "both_sides": site.both_sides,
    "one_side": site.one_side,
    "material_fits_appearance": product.material_fits_appearance,
    "no_fitting_record": product.no_fitting_record,
    "unknown_filler_recorded": product.unknown_filler_recorded,
    "no_other_fitting_record": product.no_fitting_record,
    "form_fits": form.form_fits,
    "shape_is": form.shape_is,
    "further_shape_is": form.shape_is,
    "sign_described": form.sign_described,
    "named_in_report": form.sign_described,
    "attenuation_fits": density.attenuation_fits,
    "calcium_seen": form.calcium_seen,
    "no_calcium_seen": form.no_calcium_seen,
    "density_is": form.density_is,
    "tiny": form.tiny,
    "single": form.single,
    "many": form.many,
    "tracer_uptake": form.tracer_uptake,
    "shrinks_on_follow_up": course.shrinks_on_follow_up,
    "grows_on_follow_up": course.grows_on_follow_up,
    "treated_tumour_at_site": history.condition_near_site,
}

PER_PATIENT: Mapping[str, AskPatient] = {
    "filler_recorded": product.filler_recorded,
    "no_filler_recorded": product.no_filler_recorded,
    "mineral_metabolism_normal": labs.mineral_metabolism_normal,
    "calcium_high": labs.lab_high,
    "calcium_low": labs.lab_low,
    "phosphate_high": labs.lab_high,
    "phosphate_low": labs.lab_low,
    "pth_high": labs.lab_high,
    "pth_low": labs.lab_low,
    "pth_not_suppressed": labs.pth_not_suppressed,
    "calcium_phosphate_product_high": labs.calcium_phosphate_product_high,
    "vitamin_d_toxic": labs.vitamin_d_toxic,
    "calcitriol_high": labs.lab_high,
    "pthrp_high": labs.lab_high,
    "ace_high": labs.lab_high,
    "ck_high": labs.lab_high,
    "alp_high": labs.lab_high,
    "crp_high": labs.lab_high,
    "urate_high": labs.lab_high,
    "antibody_positive": labs.antibody_positive,
    "further_antibody_positive": labs.antibody_positive,
    "kidney_failure": labs.kidney_failure,
    "disease_recorded": history.condition_recorded,
    "related_disease_recorded": history.condition_recorded,
    "symptom_recorded": history.condition_recorded,
    "trigger_recorded": history.condition_recorded,
    "medicine_recorded": history.medication_recorded,
    "age_below": history.age_below,
    "age_from": history.age_from,
    "imaging_reported": imaging.imaging_reported,
    "no_target_described": imaging.no_target_described,
    "looked_for_and_absent": imaging.looked_for_and_absent,
}

# Questions whose answer depends on the materials of the cause that asks.
OF_MATERIALS = frozenset(
    {
        "injected_before_finding",
        "still_expected",
        "bulky_when_late",
        "site_in_reach",
        "side_matches",
        "material_fits_appearance",
        "attenuation_fits",
        "no_fitting_record",
        "filler_recorded",
    }
)

QUESTIONS: Mapping[str, AskFinding | AskPatient] = {**PER_FINDING, **PER_PATIENT}
