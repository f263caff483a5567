"""Writes a finding as one short line, so that a table of sentences can be read and compared by eye."""

from correlation.timeline import Certainty, ImagingFinding, Side

_LETTERS = {Side.LEFT: "L", Side.RIGHT: "R", Side.MIDLINE: "M"}


def line_of(finding: ImagingFinding) -> str:
    """Such as `calcification malar LR | plaque | subcutaneous_fat | calcific | off bone | 350-500 HU`."""
    parts = [finding.kind.value]
    if finding.certainty is not Certainty.STATED:
        parts.insert(0, finding.certainty.value)
    site = finding.site
    parts.append(site.region if site else "nowhere")
    if site and site.sides:
        parts.append("".join(sorted(_LETTERS[side] for side in site.sides)))
    more = [" ".join(parts), " ".join(sorted(finding.morphology)), finding.tissue or "", finding.density or ""]
    more.append({True: "on bone", False: "off bone", None: ""}[finding.on_bone])
    if finding.attenuation_hu:
        low, high = finding.attenuation_hu
        more.append(f"{low}-{high} HU")
    more.append(f"{finding.size_mm.normalize():f} mm" if finding.size_mm is not None else "")
    more += [finding.count or "", finding.change or ""]
    more.append(f"SUV {finding.suv_max}" if finding.suv_max is not None else "")
    more.append(" ".join(f"+{sign}" for sign in sorted(finding.signs)))
    return " | ".join(part for part in more if part)
