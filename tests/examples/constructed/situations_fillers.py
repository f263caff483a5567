"""Situations whose question is the filler: material, time, place, side, status, product."""

from tests.examples.constructed.records import NORMAL, Filler, Finding, Problem, Situation, Study

EXPLAINED = ("explained",)
NOT = ("not-explained",)
OPEN = ("indeterminate",)
SYSTEMIC = ("metastatic_ckd", "phpt", "vitd_toxicity", "sarcoid", "ssc_crest", "dermatomyositis", "malignancy")

FILLERS: tuple[Situation, ...] = (
    Situation(
        id="C01",
        style="coded",
        about="calcium filler seven years before, bulky dense plaques",
        fillers=(Filler(on="2014-02-11", product="Radiesse", sites=("Malar region",)),),
        labs=NORMAL,
        studies=(
            Study(
                on="2021-03-02",
                title="CT face",
                report="CT face: bulky dense calcified plaques up to 14 mm thick in the subcutaneous fat of both "
                "malar regions.",
                findings=(Finding(site="Malar region", shape="plaque", hu=820, mm=14),),
            ),
        ),
        top=(
            "unrecorded_caha_suspected",
            "filler_granuloma_calcified",
            "dystrophic_post_inflammatory",
            "idiopathic_calcinosis",
        ),
        never_above=("filler_caha",),
        attribution=("not-explained", "indeterminate"),
        reason="Seven years after, calcium hydroxylapatite is not expected on CT, and certainly not bulky and dense.",
    ),
    Situation(
        id="C02",
        style="text",
        about="calcium filler thirty months before, thin residue",
        fillers=(Filler(on="2019-06-04", line="Radiesse(+) 3 ml jawline and prejowl bilat"),),
        labs={"calcium": 9.1, "phosphate": 3.6, "creatinine": 0.7},
        studies=(
            Study(
                on="2021-12-09",
                title="CT neck with contrast",
                report="CT neck: thin linear residual hyperdensities along the subcutaneous fat of the jawline on "
                "both sides, "
                "not in contact with the mandible. No adenopathy.",
            ),
        ),
        top=("filler_caha",),
        never_above=SYSTEMIC,
        attribution=EXPLAINED,
        reason="Thin residues at two and a half years fit calcium hydroxylapatite in place, side, form and time.",
    ),
    Situation(
        id="C03",
        style="split",
        language="es",
        about="calcium filler four years before, thin residue that shrinks",
        fillers=(Filler(on="2016-10-20", line="Infiltración de Radiesse 1,5 mL en ambos pómulos."),),
        studies=(
            Study(
                on="2018-09-30",
                title="TC de senos paranasales",
                report="TC de senos: depósitos cálcicos lineales en la grasa subcutánea malar bilateral.",
            ),
            Study(
                on="2020-10-15",
                title="TC de senos paranasales, control",
                report="TC de senos de control: marcada disminución de los depósitos cálcicos malares bilaterales "
                "respecto al estudio "
                "previo; persisten finos restos lineales en la grasa subcutánea.",
            ),
        ),
        top=("filler_caha",),
        never_above=SYSTEMIC,
        attribution=("explained", "indeterminate"),
        reason="First seen within two years and shrinking since: the course is that of the filler, though four "
        "years is late.",
    ),
    Situation(
        id="C04",
        style="document",
        about="hyaluronic acid lips, calcified nodule",
        fillers=(Filler(on="2018-01-15", product="Juvéderm Volbella", sites=("Upper lip", "Lower lip"), side=""),),
        labs=NORMAL,
        studies=(
            Study(
                on="2021-05-20",
                title="CT maxillofacial",
                report="CT maxillofacial: 6 mm rim-calcified nodule in the subcutaneous tissue of the upper lip, "
                "right of midline.",
            ),
        ),
        top=(
            "dystrophic_post_inflammatory",
            "skin_tumour_calcified",
            "idiopathic_calcinosis",
            "unrecorded_caha_suspected",
            "filler_granuloma_calcified",
        ),
        never_above=("filler_caha", "filler_nonradiopaque"),
        attribution=("not-explained", "indeterminate"),
        reason="Hyaluronic acid holds no calcium; a calcified granuloma around it is exceptional and not shown here.",
    ),
    Situation(
        id="C05",
        style="coded",
        about="hyaluronic acid tear trough on MRI",
        fillers=(Filler(on="2020-09-01", product="Teosyal Redensity II", sites=("Infraorbital region",)),),
        studies=(
            Study(
                on="2022-02-17",
                title="MRI orbits",
                modality="MR",
                report="MRI orbits: bilateral lobulated T2-hyperintense deposits in the infraorbital subcutaneous "
                "tissue, "
                "remaining bright on fat suppression, no enhancement.",
                findings=(Finding(site="Infraorbital region", kind="Soft tissue deposit", density="", shape=""),),
            ),
        ),
        top=("filler_nonradiopaque",),
        never_above=("filler_caha", "malignancy"),
        attribution=EXPLAINED,
        reason="T2-bright deposits where hyaluronic acid was put a year and a half before.",
    ),
    Situation(
        id="C06",
        style="text",
        about="poly-L-lactic acid, calcific plaques",
        fillers=(Filler(on="2018-11", line="sculptra 2 vials temples and cheeks both sides"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2020-01-21",
                title="CT head",
                report="CT head without contrast: incidental calcified plaques in the subcutaneous fat of both "
                "temples, about 400 HU. "
                "No intracranial haemorrhage.",
            ),
        ),
        top=(
            "unrecorded_caha_suspected",
            "dystrophic_post_inflammatory",
            "idiopathic_calcinosis",
            "filler_granuloma_calcified",
        ),
        never_above=("filler_nonradiopaque",),
        attribution=("not-explained", "indeterminate"),
        reason="Poly-L-lactic acid is not radiopaque: ask for an unrecorded calcium filler.",
    ),
    Situation(
        id="C07",
        style="document",
        about="gold threads on a panoramic radiograph",
        fillers=(Filler(on="2009", product="Gold threads", sites=("Cheek", "Jawline"), cpt="17999"),),
        studies=(
            Study(
                on="2017-03-28",
                title="Panoramic radiograph",
                modality="PX",
                report="Panoramic radiograph: multiple thin curvilinear metallic-density lines project over both "
                "cheeks and the jaw. "
                "Dental restorations.",
            ),
        ),
        top=("metallic_thread",),
        never_above=("filler_caha", "vascular_calcification"),
        attribution=EXPLAINED,
        reason="Metal lines where gold threads were put.",
    ),
    Situation(
        id="C08",
        style="split",
        about="charm needles, none on record",
        sex="female",
        studies=(
            Study(
                on="2019-08-02",
                title="Orthopantomogram",
                modality="PX",
                report="OPG: several short needle-like metallic opacities, 5-10 mm, scattered in the soft tissues "
                "of the forehead and both cheeks.",
            ),
        ),
        top=("metallic_thread",),
        never_above=("filler_caha", "unrecorded_caha_suspected"),
        attribution=("indeterminate", "not-explained"),
        reason="Typical of charm needles (susuk); none is on record: ask.",
    ),
    Situation(
        id="C09",
        style="split",
        about="silicone chin implant on cone beam CT",
        fillers=(Filler(on="2005-07-12", line="Augmentation genioplasty with silicone chin implant", cpt="none"),),
        studies=(
            Study(
                on="2018-10-05",
                title="CBCT mandible",
                report="CBCT: single homogeneous smooth radiopaque implant attached to the anterior surface of the "
                "chin with shallow bone resorption.",
            ),
        ),
        top=("alloplastic_implant",),
        never_above=("filler_caha", "malignancy"),
        attribution=("explained", "indeterminate"),
        reason="A smooth implant on the bone of the chin, and chin implant surgery on record; bone resorption "
        "below it is known.",
    ),
    Situation(
        id="C10",
        style="document",
        sex="male",
        about="vocal fold augmentation",
        fillers=(Filler(on="2020-03-10", product="Prolaryn Plus", sites=("Vocal fold",), side="Left", cpt="31571"),),
        problems=(Problem(text="left vocal cord paralysis after thyroidectomy"),),
        studies=(
            Study(
                on="2020-11-18",
                title="CT neck",
                report="CT neck: clumped high-density calcific material in the left vocal fold and paraglottic space.",
            ),
        ),
        top=("filler_caha",),
        never_above=("malignancy",),
        attribution=EXPLAINED,
        reason="Prolaryn Plus is calcium hydroxylapatite, and it was injected there.",
    ),
    Situation(
        id="C11",
        style="coded",
        about="finding on the other side of the injection",
        fillers=(Filler(on="2021-01-20", product="Radiesse", sites=("Malar region",), side="Left"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2021-09-14",
                title="CT face",
                report="CT face: clumped calcific material in the right malar subcutaneous fat. The left side is "
                "unremarkable.",
                findings=(Finding(site="Malar region", side="Right", shape="clump"),),
            ),
        ),
        top=("filler_caha", "unrecorded_caha_suspected"),
        never_above=SYSTEMIC,
        attribution=OPEN,
        alerts=("laterality_conflict",),
        reason="The sides on record disagree: a conflict of data, not a match.",
    ),
    Situation(
        id="C12",
        style="text",
        about="the year of injection straddles the study",
        fillers=(Filler(on="2020", line="Radiesse 1.5 mL malar and nasolabial folds, both sides (done elsewhere)"),),
        studies=(
            Study(
                on="2020-06-15",
                title="CT sinuses",
                report="CT sinuses: linear calcific deposits in the malar and nasolabial subcutaneous fat "
                "bilaterally, off bone.",
            ),
        ),
        top=("filler_caha", "unrecorded_caha_suspected"),
        never_above=SYSTEMIC,
        attribution=OPEN,
        reason="With a year only, the injection may lie before or after the study.",
    ),
    Situation(
        id="C13",
        style="split",
        language="es",
        about="product not known: vitamins",
        fillers=(
            Filler(
                on="2012",
                line="Infiltración de vitaminas / sustancia de relleno no identificada en glúteos, realizada en el "
                "extranjero.",
                cpt="11954",
            ),
        ),
        studies=(
            Study(
                on="2021-02-03",
                title="TC de pelvis",
                report="TC de pelvis: múltiples nódulos subcutáneos con calcificación periférica en ambos glúteos, "
                "con estriación de la grasa.",
            ),
        ),
        top=("filler_granuloma_calcified", "injection_granuloma", "unrecorded_caha_suspected"),
        never_above=("filler_caha", *SYSTEMIC),
        attribution=OPEN,
        alerts=("unknown_material",),
        reason="What was injected is not known: rim-calcified nodules ask for silicone or another permanent filler.",
    ),
    Situation(
        id="C14",
        style="coded",
        about="note and device name two products",
        fillers=(Filler(on="2021-04-06", product="Radiesse", sites=("Malar region",), device="Juvederm Voluma"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2021-12-01",
                title="CT face",
                report="CT face: calcific plaques in the malar subcutaneous fat on both sides, separate from bone.",
                findings=(Finding(site="Malar region", shape="plaque", on_bone=False),),
            ),
        ),
        top=("filler_caha", "unrecorded_caha_suspected"),
        never_above=SYSTEMIC,
        attribution=OPEN,
        alerts=("product_conflict",),
        reason="One procedure with two products, only one of which is calcific.",
    ),
    Situation(
        id="C15",
        style="text",
        about="hyperdiluted calcium filler of neck and décolletage",
        fillers=(Filler(on="2022-03-01", line="Hyperdiluted Radiesse 1:4, anterior neck and decolletage"),),
        studies=(
            Study(
                on="2022-05-11",
                title="CT chest",
                report="CT chest: faint linear high-attenuation streaks in the subcutaneous fat of the anterior "
                "neck and upper chest wall, about 160 HU.",
            ),
        ),
        top=("filler_caha",),
        never_above=SYSTEMIC,
        attribution=EXPLAINED,
        reason="Faint low-density streaks are what hyperdiluted use looks like.",
    ),
    Situation(
        id="C16",
        style="document",
        about="HArmonyCa before the ear",
        fillers=(
            Filler(on="2023-05-15", product="HArmonyCa Lidocaine", sites=("Preauricular region", "Lateral cheek")),
        ),
        labs=NORMAL,
        studies=(
            Study(
                on="2024-01-10",
                title="CT face",
                report="CT face: symmetric faint linear calcific-density material in the preauricular subcutaneous "
                "fat, separate from the parotid.",
            ),
        ),
        top=("filler_caha",),
        never_above=SYSTEMIC,
        attribution=EXPLAINED,
        reason="HArmonyCa holds calcium hydroxylapatite and its site is before the ear.",
    ),
    Situation(
        id="C17",
        style="split",
        about="repeat treatment resets the clock",
        fillers=(
            Filler(on="2016-02-02", line="Radiesse 1.5 mL cheeks, bilateral."),
            Filler(on="2021-02-02", line="Repeat Radiesse 1.5 mL, cheeks, bilateral."),
        ),
        studies=(
            Study(
                on="2022-04-12",
                title="CT face",
                report="CT face: calcific plaques and linear streaks in the subcutaneous fat of both cheeks.",
            ),
        ),
        top=("filler_caha",),
        never_above=SYSTEMIC,
        attribution=EXPLAINED,
        reason="Fourteen months after the last injection.",
    ),
    Situation(
        id="C18",
        style="coded",
        about="MRI thirty months after, nothing seen",
        fillers=(Filler(on="2018-01-10", product="Radiesse", sites=("Malar region",)),),
        studies=(
            Study(
                on="2020-07-15",
                title="MRI face",
                modality="MR",
                report="MRI face: no residual filler material is seen in the malar regions. No mass.",
            ),
        ),
        top=("no_target_finding",),
        never_above=("filler_caha",),
        attribution=("not-applicable",),
        reason="Nothing is described that asks for an explanation.",
    ),
    Situation(
        id="C19",
        style="split",
        about="two findings, one of them a stone",
        fillers=(Filler(on="2020-10-10", line="Radiesse 1.5 mL to malar eminences bilaterally"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2021-03-03",
                title="CT neck",
                report="CT neck: linear calcific deposits in the malar subcutaneous fat bilaterally. 8 mm calculus "
                "in the left submandibular "
                "(Wharton) duct with ductal dilatation.",
            ),
        ),
        top=("filler_caha", "sialolith"),
        never_above=SYSTEMIC,
        attribution=("partly",),
        reason="The cheeks fit the filler, the stone does not.",
    ),
    Situation(
        id="C20",
        style="document",
        language="es",
        about="negated report with a known filler",
        fillers=(Filler(on="2021-06-01", product="Radiesse", sites=("Pómulo",)),),
        studies=(
            Study(
                on="2022-01-20",
                title="TC facial",
                report="TC facial: no se identifican calcificaciones ni depósitos de alta densidad en partes "
                "blandas. Senos paranasales libres.",
            ),
        ),
        top=("no_target_finding",),
        never_above=("filler_caha",),
        attribution=("not-applicable",),
        reason="Nothing is described, whatever was injected.",
    ),
    Situation(
        id="C21",
        style="text",
        about="negative radiographs after calcium filler",
        fillers=(Filler(on="2021-08-01", line="Radiesse cheeks bilateral 1.5mL"),),
        studies=(
            Study(
                on="2021-09-10",
                title="Facial radiographs",
                modality="DX",
                report="Frontal, lateral and Waters views: no radiopaque material. No fracture.",
            ),
        ),
        top=("no_target_finding",),
        never_above=("filler_caha",),
        attribution=("not-applicable",),
        reason="A negative radiograph is no finding, and no evidence against the filler.",
    ),
    Situation(
        id="C22",
        style="coded",
        about="silicone of the buttocks with rims and nodes",
        fillers=(Filler(on="2008-05", product="Liquid silicone (biopolymers)", sites=("Buttock",), cpt="11954"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2019-02-21",
                title="CT pelvis",
                report="CT pelvis: multiple subcutaneous soft-tissue nodules with rim calcification in both "
                "buttocks with fat stranding.",
                findings=(Finding(site="Buttock", shape="rim"),),
            ),
        ),
        top=("filler_granuloma_calcified",),
        never_above=("filler_caha", "injection_granuloma", "malignancy"),
        attribution=EXPLAINED,
        reason="Rim-calcified nodules a decade after silicone.",
    ),
    Situation(
        id="C23",
        style="text",
        language="es",
        about="fat graft of the breasts with oil cysts",
        fillers=(
            Filler(on="2015-04-10", line="Lipotransferencia (injerto de grasa autóloga, Coleman) en ambas mamas"),
        ),
        studies=(
            Study(
                on="2018-04-24",
                title="Mamografía",
                modality="MG",
                report="Mamografía: múltiples quistes oleosos con calcificación en cáscara de huevo en ambas mamas.",
            ),
        ),
        top=("fat_graft_necrosis",),
        never_above=("filler_caha", "malignancy"),
        attribution=EXPLAINED,
        reason="Oil cysts with eggshell rims three years after fat grafting.",
    ),
    Situation(
        id="C24",
        style="split",
        about="injected after the study, pattern typical of calcium filler",
        fillers=(Filler(on="2022-03-15", line="Radiesse 1.5 mL, malar, bilateral."),),
        labs=NORMAL,
        studies=(
            Study(
                on="2022-02-20",
                title="CT sinuses",
                report="CT sinuses: bilateral calcific plaques in the malar subcutaneous fat, separate from bone.",
            ),
        ),
        top=("unrecorded_caha_suspected", "idiopathic_calcinosis", "dystrophic_post_inflammatory"),
        never_above=("filler_caha",),
        attribution=NOT,
        reason="The only filler on record came after the study; an earlier one has to be asked for.",
    ),
    Situation(
        id="C25",
        style="coded",
        about="injected in the hands, plaques in the face",
        fillers=(Filler(on="2020-05-05", product="Radiesse", sites=("Dorsum of hand",)),),
        labs=NORMAL,
        studies=(
            Study(
                on="2020-11-11",
                title="CT sinuses",
                report="CT sinuses: calcific plaques in the subcutaneous fat of both cheeks.",
                findings=(Finding(site="Malar region", shape="plaque"),),
            ),
        ),
        top=("unrecorded_caha_suspected", "idiopathic_calcinosis", "dystrophic_post_inflammatory"),
        never_above=("filler_caha",),
        attribution=NOT,
        reason="The filler does not travel from hand to face.",
    ),
    Situation(
        id="C26",
        style="text",
        about="botulinum toxin only",
        fillers=(Filler(on="2019-09-09", line="Botox 40 U glabella and forehead"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2020-02-02",
                title="CT face",
                report="CT face: symmetric linear calcific-density plaques in the malar and nasolabial "
                "subcutaneous fat, off bone.",
            ),
        ),
        top=("unrecorded_caha_suspected",),
        never_above=("filler_caha", *SYSTEMIC),
        attribution=OPEN,
        reason="Botulinum toxin is no filler; the pattern is typical and none is on record.",
    ),
    Situation(
        id="C27",
        style="coded",
        about="billing code only, product not known",
        fillers=(Filler(on="2020-01-14", sites=("Malar region",)),),
        labs=NORMAL,
        studies=(
            Study(
                on="2020-08-25",
                title="CT face",
                report="CT face: calcific plaques in the malar subcutaneous fat bilaterally.",
                findings=(Finding(site="Malar region", shape="plaque"),),
            ),
        ),
        top=("unrecorded_caha_suspected", "filler_caha"),
        never_above=SYSTEMIC,
        attribution=OPEN,
        alerts=("unknown_material",),
        reason="The code says that something was injected, not what.",
    ),
    Situation(
        id="C28",
        style="document",
        about="methacrylate, ultrasound without calcium",
        fillers=(Filler(on="2016-11-30", product="Bellafill", sites=("Nasolabial fold",)),),
        studies=(
            Study(
                on="2019-01-16",
                title="Ultrasound face",
                modality="US",
                report="Ultrasound: bright echogenic dots with comet-tail artefacts in the nasolabial subcutaneous "
                "tissue on both sides. No vascularity.",
            ),
        ),
        top=("filler_nonradiopaque", "filler_granuloma_calcified"),
        never_above=("filler_caha", "malignancy"),
        attribution=EXPLAINED,
        reason="Comet tails where methacrylate was put.",
    ),
    Situation(
        id="C29",
        style="text",
        about="long report with distractors",
        sex="male",
        fillers=(Filler(on="2022-07-07", line="G0429 facial lipodystrophy inj, Radiesse 3 mL both cheeks"),),
        problems=(Problem(text="HIV infection"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2023-01-17",
                title="CT head and neck",
                report="TECHNIQUE: 1 mm slices without contrast. COMPARISON: none. FINDINGS: Dental amalgam "
                "artefact. Calcified carotid siphons. "
                "Retention cyst in the left maxillary sinus. Bilateral tonsilloliths. Symmetric clumped and linear "
                "high-density material in the "
                "subcutaneous fat of both cheeks, clear of the bone. No lymphadenopathy. 4 mm calcified granuloma "
                "in the right upper lobe. "
                "IMPRESSION: Bilateral subcutaneous calcific material of the cheeks, likely filler.",
            ),
        ),
        top=("filler_caha",),
        never_above=SYSTEMIC,
        attribution=EXPLAINED,
        reason="The target fits; amalgam, siphons, tonsilloliths and the lung are read and set aside.",
    ),
    Situation(
        id="C30",
        style="split",
        about="cosmetic request, only distractors described",
        fillers=(Filler(on="2020-02-20", line="Radiesse 1.5 mL cheeks bilaterally."),),
        studies=(
            Study(
                on="2023-09-05",
                title="CT head",
                report="CT head: physiological calcification of the pineal gland and choroid plexus. Right "
                "tonsillolith. No soft tissue calcification.",
            ),
        ),
        top=("no_target_finding", "normal_variant"),
        never_above=("filler_caha",),
        attribution=("not-applicable",),
        reason="What is described is physiological.",
    ),
    Situation(
        id="C31",
        style="coded",
        about="intense uptake in calcium filler, melanoma elsewhere",
        fillers=(Filler(on="2021-10-01", product="Radiesse", sites=("Malar region", "Nasolabial fold")),),
        problems=(Problem(text="melanoma of the left calf, excised", icd10="C43.72", onset="2019", site="Left calf"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2022-06-08",
                title="FDG PET-CT",
                modality="PT+CT",
                report="FDG PET-CT: symmetric FDG-avid calcific deposits in the malar and nasolabial subcutaneous "
                "fat, SUVmax 7.2. No avid nodes.",
                findings=(Finding(site="Malar region", shape="clump"), Finding(site="Nasolabial fold", shape="linear")),
            ),
        ),
        top=("filler_caha",),
        never_above=("malignancy",),
        attribution=EXPLAINED,
        reason="Calcium filler takes up FDG for a year and more; symmetric at the injected sites, tumour far away.",
    ),
    Situation(
        id="C32",
        style="document",
        about="thread lift, gold recorded, calcified plaques besides",
        fillers=(Filler(on="2012-02", product="PDO threads", sites=("Jawline",), cpt="17999"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2021-07-19",
                title="CT face",
                report="CT face: calcific plaques in the subcutaneous fat along the jawline on both sides.",
            ),
        ),
        top=("unrecorded_caha_suspected", "dystrophic_post_inflammatory", "idiopathic_calcinosis"),
        never_above=("filler_caha", "metallic_thread"),
        attribution=NOT,
        reason="Absorbable threads are gone after a year and leave no plaques of calcium.",
    ),
)
