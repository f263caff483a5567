"""Situations that show a question with a reply that no other situation gives it: normal results, no date of birth."""

from tests.examples.constructed.records import NORMAL, Filler, Finding, Problem, Situation, Study

ANSWERS: tuple[Situation, ...] = (
    Situation(
        id="C200",
        style="text",
        about="calcium filler, a wide search for other causes negative, date of birth not given",
        born="",
        fillers=(Filler(on="2020-03-12", line="Radiesse 1.5 mL, both cheeks"),),
        labs={**NORMAL, "calcitriol": 44, "pthrp": 0.9, "ck": 80, "crp": 1.2, "urate": 4.1, "ace": 40},
        antibodies={
            "Anti-centromere antibodies": "negative",
            "Anti-Scl-70 antibodies": "negative",
            "Anti-NXP2 antibodies": "negative",
            "Anti-dsDNA antibodies": "negative",
            "Antinuclear antibodies (ANA)": "negative",
        },
        studies=(
            Study(
                on="2020-11-02",
                title="CT face",
                report="CT face: bilateral calcified plaques in the subcutaneous fat of both cheeks, off the bone.",
            ),
        ),
        top=("filler_caha",),
        never_above=("ssc_crest", "dermatomyositis", "gout_cppd"),
        attribution=("explained",),
        reason="Time, place, material and form fit the filler, and everything that was looked for beside it is normal.",
    ),
    Situation(
        id="C201",
        style="coded",
        sex="male",
        about="humoral hypercalcaemia of malignancy with a calcified mass",
        born="1951-06-06",
        problems=(Problem(text="squamous cell carcinoma of the neck", icd10="C76.0", site="Lateral neck"),),
        labs={"calcium": 13.6, "phosphate": 2.2, "pth": 4, "pthrp": 12.0, "creatinine": 1.2},
        studies=(
            Study(
                on="2021-05-17",
                title="CT neck",
                report="CT neck: irregular mass of the left lateral neck with amorphous calcification and bone "
                "destruction.",
                findings=(Finding(site="Lateral neck", side="Left", kind="Mass", shape="amorphous", depth=""),),
            ),
        ),
        top=("malignancy",),
        never_above=("phpt", "filler_caha", "unrecorded_caha_suspected"),
        attribution=("not-explained",),
        alerts=("hypercalcaemia_urgent",),
        reason="A known carcinoma at the site, bone destruction, high PTHrP, suppressed PTH; no filler on record.",
    ),
    Situation(
        id="C202",
        style="coded",
        about="lines of the attenuation of metal where a calcium filler is on record",
        born="1969-09-09",
        fillers=(Filler(on="2019-02-02", product="Radiesse", sites=("Malar region",)),),
        studies=(
            Study(
                on="2021-10-10",
                title="CT face",
                report="CT face: fine curvilinear hyperdense lines in the cheeks.",
                findings=(
                    Finding(
                        site="Malar region",
                        kind="Metallic foreign body",
                        shape="linear",
                        density="metallic density",
                        hu=3100,
                        depth="",
                    ),
                ),
            ),
        ),
        top=("metallic_thread", "filler_caha"),
        attribution=("not-explained", "indeterminate"),
        reason="Calcium hydroxylapatite is not that dense: metal threads have to be asked for.",
    ),
)
