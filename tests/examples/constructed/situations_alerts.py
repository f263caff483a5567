"""Situations in which something has to be acted on, whatever the ranking says."""

from tests.examples.constructed.records import NORMAL, Filler, Finding, Problem, Situation, Study

NOT = ("not-explained",)
FILLER = ("filler_caha", "unrecorded_caha_suspected")

ALERTS: tuple[Situation, ...] = (
    Situation(
        id="C70", style="document", about="juvenile dermatomyositis", born="2012-05-05",
        problems=(Problem(text="juvenile dermatomyositis", icd10="M33.00"),),
        labs={"calcium": 9.6, "phosphate": 4.9, "pth": 30, "ck": 640}, antibodies={"Anti-NXP-2": "positive"},
        studies=(Study(
            on="2021-09-20", title="Radiograph thighs", modality="DX",
            report="Thighs and elbows: extensive sheet-like calcification along the fascial planes of both thighs.",
        ),),
        top=("dermatomyositis",), never_above=(*FILLER, "genetic_mineral"), attribution=NOT, alerts=("child_not_filler_first",),
        reason="Sheets along fascia in a child with NXP-2 antibodies.",
    ),
    Situation(
        id="C71", style="split", sex="male", about="suspected FOP", born="2014-01-15",
        problems=(Problem(text="congenital bilateral hallux valgus; suspected fibrodysplasia ossificans progressiva"),),
        studies=(Study(
            on="2020-06-06", title="CT neck",
            report="CT neck: heterotopic ossification within the left sternocleidomastoid and paraspinal muscles.",
        ),),
        top=("myositis_ossificans", "genetic_mineral"), never_above=FILLER, attribution=NOT,
        alerts=("fop_avoid_biopsy", "child_not_filler_first"), reason="Ossified muscle in a child: no biopsy.",
    ),
    Situation(
        id="C72", style="text", sex="male", about="pilomatricoma", born="2011-10-10", language="es",
        problems=(Problem(text="nódulo duro preauricular, sospecha de pilomatricoma"),),
        studies=(Study(
            on="2021-02-12", title="Ecografía de partes blandas", modality="US",
            report="Ecografía: nódulo de 12 mm en la piel preauricular derecha con calcificaciones puntiformes internas y sombra acústica.",
        ),),
        top=("skin_tumour_calcified",), never_above=FILLER, attribution=NOT, alerts=("child_not_filler_first",),
        reason="A calcified skin nodule in a child.",
    ),
    Situation(
        id="C73", style="document", about="infected polyacrylamide gel", born="1966-06-16",
        fillers=(Filler(on="2009-04-04", product="Aquamid", sites=("Cheek",)),),
        problems=(Problem(text="fever and painful swelling of the left cheek"),),
        labs={"crp": 96, "calcium": 9.2},
        studies=(Study(
            on="2021-03-17", title="MRI face", modality="MR",
            report="MRI face: T2-hyperintense gel deposits in both cheeks; on the left a rim-enhancing collection with inflammatory fat stranding, in keeping with abscess.",
        ),),
        top=("filler_nonradiopaque", "filler_granuloma_calcified"), never_above=("filler_caha", "malignancy"),
        attribution=("indeterminate", "explained", "partly"), alerts=("infection_suspected",),
        reason="The gel is the filler; the collection is infected until shown otherwise.",
    ),
    Situation(
        id="C74", style="split", sex="male", about="hypercalcaemia from methacrylate of the buttocks", born="1985-05-25", language="es",
        fillers=(Filler(on="2012-08", line="Aplicación de metacrilato (PMMA) 600 mL en glúteos y muslos.", cpt="11954"),),
        labs={"calcium": 12.9, "phosphate": 4.1, "pth": 6, "calcitriol": 104, "vitd": 22, "creatinine": 2.3},
        studies=(Study(
            on="2021-08-31", title="TC abdominopélvica",
            report="TC: conglomerados nodulares calcificados en la grasa subcutánea de ambos glúteos. Nefrocalcinosis.",
        ),),
        top=("filler_granuloma_hypercalcaemia", "filler_granuloma_calcified"), never_above=("phpt", "vitd_toxicity", "sarcoid", "filler_caha"),
        attribution=("explained",), alerts=("hypercalcaemia_urgent",),
        reason="Suppressed PTH and high calcitriol years after methacrylate: explained by the granulomas, and urgent.",
    ),
    Situation(
        id="C75", style="coded", about="treated skin cancer at the injected site", born="1951-01-01",
        fillers=(Filler(on="2021-03-30", product="Radiesse", sites=("Malar region",)),),
        problems=(Problem(text="basal cell carcinoma of the left cheek, excised", icd10="C44.319", onset="2018", site="Left cheek"),),
        labs=NORMAL,
        studies=(Study(
            on="2021-11-25", title="CT face",
            report="CT face: clumped calcific material in the left malar subcutaneous fat.",
            findings=(Finding(site="Malar region", side="Left", shape="clump"),),
        ),),
        top=("filler_caha", "malignancy"), attribution=("indeterminate",), alerts=("malignancy_history_at_site",),
        reason="A treated tumour at the site keeps the question open.",
    ),
    Situation(
        id="C76", style="document", about="parotid tumour treated, jawline filler, new uptake", born="1962-04-14",
        fillers=(Filler(on="2022-02-01", product="Radiesse", sites=("Mandibular angle", "Preauricular region")),),
        problems=(Problem(text="squamous cell carcinoma of the right preauricular skin, treated 2020", icd10="C44.329", site="right preauricular region"),),
        studies=(Study(
            on="2022-10-19", title="FDG PET-CT", modality="PT+CT",
            report="PET-CT: FDG-avid calcified nodule in the right preauricular subcutaneous tissue, SUVmax 9.1, enlarging.",
        ),),
        top=("malignancy", "filler_caha"), attribution=("indeterminate", "partly"), alerts=("malignancy_history_at_site",),
        reason="An avid growing nodule at the site of a treated tumour.",
    ),
    Situation(
        id="C77", style="text", about="loss of vision after glabellar filler", born="1987-07-17",
        fillers=(Filler(on="2023-03-01", line="Juvederm Ultra 0.8 mL glabella"),),
        problems=(Problem(text="sudden vision loss right eye", onset="2023-03-03"),),
        studies=(Study(
            on="2023-03-03", title="CT orbits",
            report="CT orbits: no abnormal soft tissue density. No calcification.",
        ),),
        top=("no_target_finding",), never_above=FILLER, attribution=("not-applicable",), alerts=("vascular_occlusion_emergency",),
        reason="An emergency whatever the imaging shows.",
    ),
    Situation(
        id="C78", style="split", about="skin necrosis after nasolabial calcium filler", born="1990-09-19", language="es",
        fillers=(Filler(on="2023-05-10", line="Radiesse 0,8 mL en surcos nasogenianos, bilateral."),),
        problems=(Problem(text="palidez y livedo reticular en ala nasal derecha con dolor intenso", onset="2023-05-11"),),
        studies=(Study(
            on="2023-05-12", title="TC facial",
            report="TC facial: material hiperdenso lineal en la grasa subcutánea de ambos surcos nasogenianos.",
        ),),
        top=("filler_caha",), attribution=("explained", "indeterminate"), alerts=("vascular_occlusion_emergency",),
        reason="The deposits fit, and the skin asks for help now.",
    ),
    Situation(
        id="C79", style="document", about="abscess two weeks after calcium filler", born="1979-03-29",
        fillers=(Filler(on="2022-06-01", product="Radiesse", sites=("Cheek",)),),
        problems=(Problem(text="fever; fluctuant right cheek"),),
        labs={"crp": 140},
        studies=(Study(
            on="2022-06-16", title="CT face",
            report="CT face: linear calcific material in both cheeks and a 2 cm rim-enhancing fluid collection with surrounding fat stranding in the right cheek.",
        ),),
        top=("filler_caha",), never_above=("malignancy", "dermatomyositis"), attribution=("indeterminate", "partly"), alerts=("infection_suspected",),
        reason="Filler is there and so is an abscess.",
    ),
    Situation(
        id="C80", style="coded", about="calciphylaxis under warfarin without kidney disease", born="1959-12-05",
        problems=(Problem(text="painful necrotic ulcers of both thighs"), Problem(text="morbid obesity", icd10="E66.01")),
        medicines=("warfarin 5 mg",), labs={**NORMAL, "egfr": 82},
        studies=(Study(
            on="2021-10-06", title="Radiograph thighs", modality="DX",
            report="Soft-tissue radiograph: net-like calcification of small vessels in the subcutaneous fat of both thighs.",
            findings=(Finding(site="Thigh", shape="reticular", depth=""),),
        ),),
        top=("calciphylaxis", "vascular_calcification"), never_above=(*FILLER, "metastatic_ckd"), attribution=NOT, alerts=("calciphylaxis_urgent",),
        reason="Non-uraemic calciphylaxis exists; necrosis, warfarin and net-like vessels are enough to act.",
    ),
    Situation(
        id="C81", style="split", about="warfarin alone means nothing", born="1956-02-16",
        fillers=(Filler(on="2021-01-25", line="Radiesse 1.5 mL to both malar regions."),),
        problems=(Problem(text="atrial fibrillation"),), medicines=("warfarin",), labs=NORMAL,
        studies=(Study(
            on="2021-08-03", title="CT face",
            report="CT face: calcific plaques in the malar subcutaneous fat, symmetric, separate from bone.",
        ),),
        top=("filler_caha",), never_above=("calciphylaxis", "vascular_calcification"), attribution=("explained",),
        reason="Neither kidney failure nor necrosis nor net-like vessels.",
    ),
    Situation(
        id="C82", style="text", about="severe hypercalcaemia, nothing on record, no filler", born="1947-07-27",
        labs={"calcium": 14.2, "albumin": 3.0, "phosphate": 3.0, "creatinine": 1.4},
        studies=(Study(
            on="2022-11-15", title="CT face",
            report="CT face: faint calcification in the subcutaneous fat of the left cheek.",
        ),),
        top=("malignancy", "phpt", "vitd_toxicity", "idiopathic_calcinosis", "dystrophic_post_inflammatory", "sarcoid", "unrecorded_caha_suspected"),
        attribution=("not-explained", "indeterminate"), alerts=("hypercalcaemia_urgent", "hypercalcaemia"),
        reason="A calcium of 14 is raised first, filler or not.",
    ),
    Situation(
        id="C83", style="document", about="high calcium without any imaging finding, filler on record", born="1969-09-06",
        fillers=(Filler(on="2020-03-03", product="Radiesse", sites=("Malar region",)),),
        labs={"calcium": 12.4, "pth": 96},
        studies=(Study(on="2021-04-14", title="CT face", report="CT face: no soft tissue calcification."),),
        top=("no_target_finding",), never_above=("filler_caha",), attribution=("not-applicable",), alerts=("hypercalcaemia_urgent",),
        reason="No finding, but the calcium cannot wait.",
    ),
    Situation(
        id="C84", style="split", about="calcium filler in a child's record", born="2009-04-21",
        fillers=(Filler(on="2023-02-02", line="Radiesse 1 mL, right cheek (post-traumatic depression)."),),
        problems=(Problem(text="depressed scar of right cheek after trauma"),),
        labs=NORMAL,
        studies=(Study(
            on="2023-09-02", title="CT face",
            report="CT face: linear calcific material in the right cheek subcutaneous fat.",
        ),),
        top=("filler_caha",), attribution=("explained",), alerts=("child_not_filler_first",),
        reason="The filler fits; a child asks for a second thought all the same.",
    ),
    Situation(
        id="C85", style="coded", about="calciphylaxis without filler: kidney failure and eschar", born="1971-06-26",
        problems=(Problem(text="ESRD on peritoneal dialysis", icd10="N18.6"), Problem(text="necrotic ulcer of the abdomen with eschar")),
        labs={"calcium": 9.9, "phosphate": 6.9, "pth": 640, "creatinine": 8.8},
        studies=(Study(
            on="2021-05-18", title="CT abdomen",
            report="CT abdomen: fine net-like calcification of subcutaneous vessels of the abdominal wall.",
            findings=(Finding(site="Abdomen", side="", shape="reticular", depth=""),),
        ),),
        top=("calciphylaxis", "metastatic_ckd"), never_above=FILLER, attribution=NOT, alerts=("calciphylaxis_urgent",),
        reason="Kidney failure with necrotic skin and net-like vessels.",
    ),
    Situation(
        id="C86", style="text", about="date in the future", born="1980-02-10",
        fillers=(Filler(on="2027-01-10", line="Radiesse 1.5 mL malar bilateral"),),
        studies=(Study(
            on="2024-01-16", title="CT face",
            report="CT face: calcific plaques in the malar subcutaneous fat bilaterally.",
        ),),
        top=("filler_caha", "unrecorded_caha_suspected"), attribution=("indeterminate", "not-explained"),
        reason="The date on record cannot be true.",
    ),
    Situation(
        id="C87", style="coded", about="no date of injection", born="1972-01-19",
        fillers=(Filler(on=None, product="Radiesse", sites=("Malar region",)),),
        labs=NORMAL,
        studies=(Study(
            on="2022-08-22", title="CT face",
            report="CT face: calcific plaques in the malar subcutaneous fat bilaterally, off bone.",
            findings=(Finding(site="Malar region", shape="plaque", on_bone=False),),
        ),),
        top=("filler_caha", "unrecorded_caha_suspected"), attribution=("indeterminate",),
        reason="Exposure of unknown date is not known, never ignored.",
    ),
)
