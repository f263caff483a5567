"""Situations in which something else than a filler made the finding, whether or not a filler is on record."""

from tests.examples.constructed.records import NORMAL, Filler, Finding, Problem, Situation, Study

NOT = ("not-explained",)
FILLER = ("filler_caha", "unrecorded_caha_suspected")

OTHER_CAUSES: tuple[Situation, ...] = (
    Situation(
        id="C40", style="coded", about="primary hyperparathyroidism with stones, vascular calcium, no filler", born="1958-01-30",
        problems=(Problem(text="nephrolithiasis", icd10="N20.0"), Problem(text="osteoporosis", icd10="M81.0")),
        labs={"calcium": 11.3, "phosphate": 2.1, "pth": 142, "vitd": 27, "creatinine": 0.8},
        studies=(Study(
            on="2020-03-11", title="CT neck",
            report="CT neck: amorphous soft tissue calcification in the subcutaneous fat of the left cheek. Brown tumour of the mandible not seen.",
            findings=(Finding(site="Malar region", side="Left", shape="amorphous"),),
        ),),
        top=("phpt",), never_above=FILLER, attribution=NOT, alerts=("hypercalcaemia",),
        reason="High calcium, low phosphate and high PTH are primary hyperparathyroidism; no filler is on record.",
    ),
    Situation(
        id="C41", style="split", about="calcium filler and primary hyperparathyroidism together", born="1961-08-19",
        fillers=(Filler(on="2020-01-08", line="Radiesse 1.5 mL, cheeks and marionette lines, bilateral"),),
        labs={"calcium": 11.0, "phosphate": 2.3, "pth": 118, "creatinine": 0.7},
        studies=(Study(
            on="2020-08-13", title="CT face",
            report="CT face: bilateral linear calcific deposits in the buccal and marionette subcutaneous fat, separate from bone.",
        ),),
        top=("filler_caha", "phpt"), attribution=("partly",), alerts=("hypercalcaemia",),
        reason="The deposits fit the filler, and the calcium asks for a cause of its own.",
    ),
    Situation(
        id="C42", style="text", sex="male", about="vitamin D toxicity from supplements", born="1970-05-02",
        medicines=("cholecalciferol 50,000 IU daily (self-medicated)", "hydrochlorothiazide 25 mg"),
        problems=(Problem(text="polyuria and confusion"),),
        labs={"calcium": 13.4, "phosphate": 4.6, "pth": 5, "vitd": 212, "creatinine": 1.6},
        studies=(Study(
            on="2021-09-09", title="Radiograph shoulders", modality="DX",
            report="Radiographs of both shoulders: amorphous periarticular soft-tissue calcification bilaterally.",
        ),),
        top=("vitd_toxicity",), never_above=("phpt", "filler_caha", "metastatic_ckd"), attribution=NOT, alerts=("hypercalcaemia_urgent",),
        reason="25-OH vitamin D above 150 ng/mL with suppressed PTH and severe hypercalcaemia.",
    ),
    Situation(
        id="C43", style="split", about="milk-alkali syndrome", born="1955-11-11",
        medicines=("calcium carbonate antacid tablets, 10 per day", "chlorthalidone"),
        problems=(Problem(text="milk-alkali syndrome suspected"),),
        labs={"calcium": 12.6, "phosphate": 3.9, "pth": "<6", "vitd": 34, "creatinine": 1.9},
        studies=(Study(
            on="2022-02-14", title="Radiograph hips", modality="DX",
            report="Hips: bilateral periarticular soft-tissue calcification and vascular calcification.",
        ),),
        top=("vitd_toxicity", "metastatic_ckd"), never_above=FILLER, attribution=NOT, alerts=("hypercalcaemia_urgent",),
        reason="Calcium and alkali with suppressed PTH.",
    ),
    Situation(
        id="C44", style="document", sex="male", about="sarcoidosis with nodes and skin nodules, hyaluronic acid on record", born="1984-04-04",
        fillers=(Filler(on="2018-06-06", product="Restylane Lyft", sites=("Malar region",)),),
        problems=(Problem(text="pulmonary sarcoidosis", icd10="D86.0"),),
        labs={"calcium": 10.9, "phosphate": 3.8, "pth": 8, "calcitriol": 96, "ace": 131, "creatinine": 1.0},
        studies=(Study(
            on="2020-01-15", title="CT face and chest",
            report="CT: calcified subcutaneous nodules of the right cheek. Bilateral symmetric hilar lymphadenopathy.",
        ),),
        top=("sarcoid",), never_above=("filler_caha", "filler_nonradiopaque", "phpt"), attribution=NOT, alerts=("hypercalcaemia",),
        reason="Sarcoidosis on record, high ACE and calcitriol, suppressed PTH; hyaluronic acid does not calcify.",
    ),
    Situation(
        id="C45", style="text", about="lupus panniculitis", born="1981-12-12",
        problems=(Problem(text="systemic lupus erythematosus"), Problem(text="lupus panniculitis (profundus) of both arms")),
        labs=NORMAL, antibodies={"Anti-dsDNA": "positive", "ANA": "positive"},
        studies=(Study(
            on="2019-06-25", title="CT arms",
            report="CT: plaque-like calcification within atrophic subcutaneous fat of both upper arms.",
        ),),
        top=("lupus_overlap",), never_above=("filler_caha", "dermatomyositis", "ssc_crest"), attribution=NOT,
        reason="Plaques after inflamed fat in lupus.",
    ),
    Situation(
        id="C46", style="split", about="phlebolith in a venous malformation, calcium filler on record", born="1996-02-08",
        fillers=(Filler(on="2021-03-03", line="Radiesse 1 mL nasolabial folds, both sides."),),
        problems=(Problem(text="venous malformation of the left cheek"),),
        studies=(Study(
            on="2021-10-10", title="CT face",
            report="CT face: several round laminated calcifications with lucent centres within a lobulated mass of the left cheek.",
        ),),
        top=("phlebolith",), never_above=FILLER, attribution=NOT,
        reason="Laminated round stones in a vascular mass on one side are phleboliths.",
    ),
    Situation(
        id="C47", style="document", about="calcified nodes after tuberculosis, jawline filler on record", born="1960-10-01",
        fillers=(Filler(on="2020-12-12", product="Radiesse", sites=("Jawline",)),),
        problems=(Problem(text="cervical tuberculous lymphadenitis in childhood", status="resolved"),),
        studies=(Study(
            on="2021-05-05", title="CT neck",
            report="CT neck: chain of coarse popcorn-like calcified lymph nodes in the right submandibular and jugular stations.",
        ),),
        top=("lymph_node_calcified",), never_above=FILLER, attribution=NOT,
        reason="Calcified nodes are not filler.",
    ),
    Situation(
        id="C48", style="coded", about="venous phleboliths of the masseter, none on record", born="2001-03-21", sex="male",
        studies=(Study(
            on="2022-06-16", title="CT face",
            report="CT face: multiple round laminated phleboliths within a lobulated mass in the right masseter muscle.",
            findings=(Finding(site="Buccal region", side="Right", shape="round", depth="muscle"),),
        ),),
        top=("phlebolith",), never_above=FILLER, attribution=NOT, reason="Phleboliths in an intramuscular venous malformation.",
    ),
    Situation(
        id="C49", style="document", sex="male", about="familial tumoural calcinosis", born="2003-07-07",
        labs={"calcium": 9.6, "phosphate": 7.1, "pth": 28, "creatinine": 0.8, "vitd": 30},
        studies=(Study(
            on="2022-04-27", title="CT hip",
            report="CT: large lobulated periarticular calcified mass about the left hip with sedimentation levels, bone not involved.",
        ),),
        top=("genetic_mineral", "idiopathic_calcinosis"), never_above=(*FILLER, "metastatic_ckd"), attribution=NOT,
        reason="A tumour-like periarticular mass with high phosphate and normal kidneys in a young person.",
    ),
    Situation(
        id="C50", style="split", sex="male", about="scrotal calcinosis", born="1989-09-09", language="es",
        labs=NORMAL,
        studies=(Study(
            on="2021-11-23", title="Ecografía escrotal", modality="US",
            report="Ecografía: múltiples nódulos calcificados en la pared escrotal, con sombra acústica posterior, sin otras alteraciones.",
        ),),
        top=("idiopathic_calcinosis",), never_above=FILLER, attribution=NOT, reason="Idiopathic scrotal calcinosis: normal chemistry, nodules of the scrotum.",
    ),
    Situation(
        id="C51", style="coded", sex="male", about="tophi of the fingers, hand filler on record", born="1957-05-15",
        fillers=(Filler(on="2019-01-01", product="Radiesse", sites=("Dorsum of hand",)),),
        problems=(Problem(text="chronic tophaceous gout", icd10="M1A.9"),),
        labs={**NORMAL, "urate": 10.4},
        studies=(Study(
            on="2019-10-30", title="Radiograph hands", modality="DX",
            report="Hands: faintly calcified juxta-articular soft tissue tophi at the proximal interphalangeal joints of both hands with erosions.",
            findings=(Finding(site="Finger", shape="nodular", depth="periarticular"),),
        ),),
        top=("gout_cppd",), never_above=FILLER, attribution=NOT, reason="Tophi at finger joints with high urate.",
    ),
    Situation(
        id="C52", style="text", sex="male", about="cysticercosis", born="1978-02-22", language="es",
        problems=(Problem(text="neurocisticercosis tratada"),),
        studies=(Study(
            on="2020-09-29", title="TC de muslos",
            report="TC de muslos: múltiples calcificaciones alargadas en grano de arroz en la musculatura de ambos muslos y glúteos.",
        ),),
        top=("parasitic",), never_above=FILLER, attribution=NOT, reason="Rice-grain calcifications in muscle.",
    ),
    Situation(
        id="C53", style="split", about="calcified stylohyoid ligament", born="1964-06-30",
        fillers=(Filler(on="2021-01-01", line="Radiesse 1.5 mL, jawline, bilateral."),),
        studies=(Study(
            on="2021-08-08", title="CT neck",
            report="CT neck: elongated styloid processes with calcified stylohyoid ligaments on both sides. Soft tissues otherwise normal.",
        ),),
        top=("normal_variant", "no_target_finding"), never_above=FILLER, attribution=("not-applicable", "not-explained"),
        reason="A variant of the ligament, far deeper than filler.",
    ),
    Situation(
        id="C54", style="document", about="pseudohypoparathyroidism", born="1999-01-05",
        problems=(Problem(text="pseudohypoparathyroidism type 1a (Albright)", icd10="E20.1"),),
        labs={"calcium": 7.3, "phosphate": 6.4, "pth": 210, "creatinine": 0.6},
        studies=(Study(
            on="2022-12-06", title="Radiograph forearm", modality="DX",
            report="Forearm: plaque-like subcutaneous ossification of the left forearm. Short metacarpals.",
        ),),
        top=("genetic_mineral",), never_above=(*FILLER, "metastatic_ckd"), attribution=NOT,
        reason="Low calcium, high phosphate and PTH with ossification below the skin.",
    ),
    Situation(
        id="C55", style="text", about="calcium gluconate that leaked", sex="male", born="1990-08-20",
        problems=(Problem(text="extravasation of intravenous calcium gluconate, right forearm, 3 weeks ago"),),
        medicines=("calcium gluconate IV",),
        studies=(Study(
            on="2021-04-22", title="Radiograph forearm", modality="DX",
            report="Right forearm: amorphous plaque-like calcification in the subcutaneous tissue of the volar forearm.",
        ),),
        top=("iatrogenic_calcium",), never_above=FILLER, attribution=NOT, reason="Calcium at the place of an infusion that leaked.",
    ),
    Situation(
        id="C56", style="split", sex="male", about="facial artery calcification in diabetes, calcium filler on record", born="1950-01-17",
        fillers=(Filler(on="2020-05-19", line="Radiesse 1.5 mL malar bilateral"),),
        problems=(Problem(text="type 2 diabetes mellitus"),),
        labs=NORMAL,
        studies=(Study(
            on="2021-01-12", title="CT face",
            report="CT face: tram-track calcification of both facial arteries over the cheeks. No other soft tissue calcification.",
        ),),
        top=("vascular_calcification",), never_above=FILLER, attribution=NOT, reason="Tram tracks lie in the artery.",
    ),
    Situation(
        id="C57", style="document", language="es", about="calcified scar after an infected cheek", born="1976-09-13",
        problems=(Problem(text="absceso de mejilla derecha drenado hace 4 años", status="resolved", site="mejilla derecha"),),
        labs=NORMAL,
        studies=(Study(
            on="2022-03-10", title="TC facial",
            report="TC facial: calcificación irregular amorfa en la cicatriz cutánea de la mejilla derecha. Resto sin alteraciones.",
        ),),
        top=("dystrophic_post_inflammatory",), never_above=FILLER, attribution=("not-explained",),
        reason="One-sided irregular calcium in a scar after infection.",
    ),
    Situation(
        id="C58", style="coded", about="granulomas after injections of medicines, hyaluronic acid elsewhere", born="1948-03-03",
        fillers=(Filler(on="2018-01-01", product="Restylane", sites=("Nasolabial fold",)),),
        problems=(Problem(text="long-term intramuscular injections for multiple sclerosis"),),
        studies=(Study(
            on="2020-10-28", title="CT pelvis",
            report="CT pelvis: several round eggshell-calcified nodules in the subcutaneous fat of both buttocks.",
            findings=(Finding(site="Buttock", shape="eggshell"),),
        ),),
        top=("injection_granuloma",), never_above=(*FILLER, "filler_granuloma_calcified", "fat_graft_necrosis"), attribution=NOT,
        reason="Round eggshell nodules of the buttocks after injections of medicines.",
    ),
    Situation(
        id="C59", style="text", about="tumour with calcium and bone destruction, hyaluronic acid on record", born="1953-12-24", sex="male",
        fillers=(Filler(on="2019-03-03", line="juvederm ultra nasolabial folds bilaterally"),),
        studies=(Study(
            on="2020-02-18", title="CT face",
            report="CT face: 4 cm calcified mass of the right malar region with destruction of the maxilla. Enlarged right submandibular lymph nodes.",
        ),),
        top=("malignancy",), never_above=(*FILLER, "filler_nonradiopaque", "filler_granuloma_calcified"), attribution=NOT,
        reason="A mass that destroys bone is a tumour until shown otherwise.",
    ),
    Situation(
        id="C60", style="split", language="es", about="systemic sclerosis of the fingers, no filler", born="1963-02-27",
        problems=(Problem(text="esclerodermia limitada (CREST)"), Problem(text="fenómeno de Raynaud")),
        labs=NORMAL, antibodies={"Anticuerpos anticentrómero": "positivo"},
        studies=(Study(
            on="2021-06-11", title="Radiografía de manos", modality="DX",
            report="Radiografía de manos: calcificaciones nodulares densas en el pulpejo del pulgar y del índice derechos.",
        ),),
        top=("ssc_crest",), never_above=(*FILLER, "gout_cppd", "dermatomyositis"), attribution=NOT, reason="Dense nodules of finger pulps with anticentromere antibodies.",
    ),
    Situation(
        id="C61", style="coded", about="dialysis, calcium filler only in the cheeks, high product", born="1968-08-08",
        fillers=(Filler(on="2021-02-09", product="Radiesse", sites=("Malar region",)),),
        problems=(Problem(text="end-stage renal disease on haemodialysis", icd10="N18.6"),),
        labs={"calcium": 10.1, "phosphate": 7.6, "pth": 820, "creatinine": 7.9},
        studies=(Study(
            on="2021-11-02", title="CT face",
            report="CT face: symmetric linear calcific deposits of the malar subcutaneous fat, separate from bone.",
            findings=(Finding(site="Malar region", shape="linear", on_bone=False),),
        ),),
        top=("filler_caha", "metastatic_ckd"), attribution=("partly",),
        reason="The cheeks fit, but the product of calcium and phosphate is itself a likely cause of deposits.",
    ),
    Situation(
        id="C62", style="split", about="pseudoxanthoma elasticum", born="1980-11-03",
        problems=(Problem(text="pseudoxanthoma elasticum"),),
        labs=NORMAL,
        studies=(Study(
            on="2022-05-31", title="CT neck",
            report="CT neck: fine linear calcification in the skin and superficial subcutaneous tissue of both sides of the neck.",
        ),),
        top=("genetic_mineral",), never_above=("filler_caha",), attribution=NOT, reason="Calcified elastic fibres in a known inherited disorder.",
    ),
    Situation(
        id="C63", style="text", about="miliary osteomas, calcium filler at the very site", born="1949-02-02",
        fillers=(Filler(on="2021-01-15", line="Radiesse 1.5mL both cheeks"),),
        problems=(Problem(text="severe acne in youth"),),
        studies=(Study(
            on="2021-07-21", title="CT sinuses",
            report="CT sinuses: innumerable tiny 1-2 mm dermal calcifications of both cheeks and chin.",
        ),),
        top=("osteoma_cutis", "dystrophic_post_inflammatory"), never_above=FILLER, attribution=NOT,
        reason="Tiny points in the dermis are not the filler, even at its site.",
    ),
)
