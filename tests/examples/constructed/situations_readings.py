"""Situations that hang on the reading: full reports with much beside the point, run-on dictation, fillers only told."""

from tests.examples.constructed.records import NORMAL, Filler, Problem, Situation, Study

NOT = ("not-explained",)
OPEN = ("indeterminate",)
FILLER = ("filler_caha", "unrecorded_caha_suspected")

READINGS: tuple[Situation, ...] = (
    Situation(
        id="C138",
        style="document",
        about="restaging PET-CT by organs, without a heading for the findings; carotid and coronary calcium beside",
        born="1957-03-03",
        problems=(Problem(text="Diffuse large B-cell lymphoma", status="remission", onset="2018"),),
        fillers=(Filler(on="2021-12-01", product="Radiesse", sites=("Marionette lines", "Prejowl sulcus")),),
        studies=(
            Study(
                on="2022-07-02",
                title="PET-CT",
                modality="PT+CT",
                report="Clinical history: lymphoma in complete remission.\nTechnique: 60 min after 310 MBq F-18 FDG.\n"
                "Head and neck: Linear calcified subcutaneous deposits along the marionette lines and prejowl regions "
                "bilaterally with moderate symmetric FDG uptake (SUVmax 6.1). Calcified plaque at both carotid "
                "bifurcations. Tonsilloliths.\nChest: 3 mm right lower lobe nodule, unchanged. Coronary calcification."
                "\nAbdomen: Kidneys with small non-obstructing stones. Calcified uterine fibroid.\n"
                "Impression: No evidence of recurrent lymphoma. Facial soft tissue calcifications.",
            ),
        ),
        top=("filler_caha",),
        never_above=("malignancy", "vascular_calcification"),
        attribution=("explained",),
        reason="Filler in place, side and time; the rest is beside the point, the tumour far away and in remission.",
    ),
    Situation(
        id="C139",
        style="text",
        about="a lump that the radiologist names, in a child",
        born="2013-03-03",
        studies=(
            Study(
                on="2022-05-02",
                title="Ultrasound soft tissue face",
                modality="US",
                report="9-year-old with firm lump. Well defined 11 mm dermal echogenic nodule in the left preauricular "
                "region with calcific foci and shadowing, most in keeping with pilomatricoma.",
            ),
        ),
        top=("skin_tumour_calcified",),
        never_above=FILLER,
        attribution=NOT,
        alerts=("child_not_filler_first",),
        reason="Named by the radiologist, in the skin of a child, on one side.",
    ),
    Situation(
        id="C140",
        style="split",
        about="calcified haematoma of the cheek, no filler",
        sex="male",
        born="1990-03-03",
        problems=(Problem(text="Blunt trauma to left cheek with haematoma", onset="2020-03"),),
        studies=(
            Study(
                on="2022-05-02",
                title="CT face",
                report="Irregular curvilinear calcification with mild scarring in the left cheek subcutaneous tissues "
                "at the site of the prior haematoma, 20 mm. Sinuses clear.",
            ),
        ),
        top=("dystrophic_post_inflammatory",),
        never_above=FILLER,
        attribution=NOT,
        reason="A scar and an old haematoma on one side, trauma on record.",
    ),
    Situation(
        id="C141",
        style="text",
        language="es",
        about="methacrylate of the buttocks in three words",
        born="1979-03-03",
        fillers=(Filler(on="2011-06", line="Metacrilato en glúteos"),),
        studies=(
            Study(
                on="2022-05-06",
                title="TC pelvis",
                report="En grasa subcutánea glútea bilateral existen nódulos redondeados con calcificación nodular "
                "grosera, el mayor de 22 mm en el lado izquierdo. Riñones con pequeñas litiasis. Sin colecciones.",
            ),
        ),
        top=("filler_granuloma_calcified",),
        never_above=("filler_caha", "malignancy", "sialolith"),
        attribution=("explained",),
        reason="Calcified granulomas eleven years after methacrylate; no volume is needed to count it.",
    ),
    Situation(
        id="C142",
        style="text",
        language="es",
        about="mesotherapy with vitamins, product not noted",
        born="1979-03-03",
        fillers=(Filler(on="2022-06-10", line="Mesoterapia facial con vitaminas (producto no consta)"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2023-02-06",
                title="TC de senos",
                report="Senos paranasales libres. Calcificaciones lineales y en placa en grasa subcutánea de ambas "
                "mejillas, simétricas y sin contacto con hueso.",
            ),
        ),
        top=FILLER[1:] + FILLER[:1],
        never_above=("metastatic_ckd",),
        attribution=OPEN,
        alerts=("unknown_material",),
        reason="Something was injected; what, is not known.",
    ),
    Situation(
        id="C143",
        style="coded",
        language="es",
        about="filler only among the problems",
        born="1966-03-03",
        problems=(Problem(text="Rellenos faciales con Radiesse en 2023 (pómulos y surcos nasogenianos)"),),
        labs=NORMAL,
        studies=(
            Study(
                on="2024-05-10",
                title="TC facial",
                report="Senos libres. Material hiperdenso de distribución lineal en el tejido subcutáneo malar "
                "bilateral y de surcos nasogenianos, de 300 UH.",
            ),
        ),
        top=("filler_caha",),
        never_above=("metastatic_ckd", "malignancy"),
        attribution=("explained", "indeterminate"),
        reason="On record as told, with product, year and place; less certain than a procedure.",
    ),
    Situation(
        id="C144",
        style="text",
        about="run-on dictation, misspelt sites",
        fillers=(Filler(on="2021-09", line="radiese 1.5 cc injectd bilat checks & NL folds by RN"),),
        studies=(
            Study(
                on="2022-06-02",
                title="CT facial",
                report="there are multiple hyper-dense foci in the subcutanous fat of both cheeks extending down to "
                "the nasolabial folds these are linear in configuration, the sinuses are clear and the orbits are "
                "normal there is no fracture identified, incidental note of a tiny osteoma of the left frontal sinus",
            ),
        ),
        top=("filler_caha",),
        never_above=("metastatic_ckd", "malignancy", "osteoma_cutis"),
        attribution=("explained",),
        reason="Everything fits, in bad spelling.",
    ),
    Situation(
        id="C145",
        style="document",
        language="es",
        about="Hirtz view seven weeks after, no form described",
        fillers=(Filler(on="2022-04-11", product="Radiesse", sites=("Pómulo",)),),
        studies=(
            Study(
                on="2022-05-30",
                title="RX senos paranasales",
                modality="DX",
                report="En la proyección de Hirtz se reconocen pequeñas opacidades cálcicas proyectadas sobre las "
                "partes blandas malares de forma bilateral. Senos maxilares normoneumatizados.",
            ),
        ),
        top=("filler_caha",),
        never_above=("metastatic_ckd",),
        attribution=("explained",),
        reason="Calcium on exactly the sides injected, seven weeks after: the Hirtz view shows it in all.",
    ),
    Situation(
        id="C146",
        style="split",
        about="chin implant on a panoramic radiograph, not called one",
        born="1966-02-02",
        fillers=(Filler(on="1999", line="Silastic chin augmentation implant", cpt="none"),),
        studies=(
            Study(
                on="2022-01-20",
                title="Panoramic radiograph",
                modality="PX",
                report="Well-circumscribed rounded radiopacity with smooth borders at the symphysis, apposed to the "
                "bone with mild cortical resorption. Multiple dental restorations.",
            ),
        ),
        top=("alloplastic_implant",),
        never_above=("filler_caha", "malignancy"),
        attribution=("explained", "indeterminate"),
        reason="Round, smooth, on the bone of the chin, and an implant was put there.",
    ),
    Situation(
        id="C147",
        style="text",
        language="es",
        about="enlarged avid nodes beside methacrylate",
        born="1980-01-01",
        fillers=(Filler(on="2013-03-01", line="Bioplastia glútea con PMMA 300 ml por lado"),),
        labs={"calcium": 13.1, "pth": 4, "creatinine": 2.3, "calcitriol": 88},
        studies=(
            Study(
                on="2021-03-05",
                title="PET-TC",
                modality="PT+CT",
                report="Aumento difuso de captación en ambas regiones glúteas (SUVmax 7,2) en relación con nódulos "
                "subcutáneos confluentes con calcificaciones. Adenopatías inguinales hipermetabólicas bilaterales.",
            ),
        ),
        top=("filler_granuloma_hypercalcaemia", "filler_granuloma_calcified"),
        never_above=("phpt", "filler_caha"),
        attribution=("explained",),
        alerts=("hypercalcaemia_urgent",),
        reason="Granulomas of methacrylate with suppressed PTH and high calcitriol; their nodes take up tracer.",
    ),
)
