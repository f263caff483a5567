"""This file answers questions of place: region, reach, side, tissue, bone."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import NO_FINDING, Case, JointFit, Said
from correlation.injections import LATERAL, joint_fit, site_words
from correlation.questions.timing import finding_sources
from correlation.timeline import BodySite


def site_in_reach(case: Case) -> Said:
    """Does the finding lie where an injection of such a material can have put it: the same or an adjacent region?"""
    finding = case.finding
    if finding is None:
        return NO_FINDING
    joint = joint_fit(case.chart, finding, materials=case.cause.materials)
    if not joint.fits:
        return Said(Reply.NOT_KNOWN, "no such injection is on record that counts")
    evidence = tuple(item.source for item in joint.injections) + finding_sources(case)
    return Said(joint.reach, lambda: _reach_words(joint, finding.site), evidence)


def _reach_words(joint: JointFit, found: BodySite | None) -> str:
    injected = "; ".join(dict.fromkeys(site_words(site) for item in joint.injections for site in item.sites))
    told = f"injected: {injected or 'a site that is not stated'}; finding: {site_words(found)}"
    if joint.broad and joint.reach is Reply.YES:
        told += " (a wide area; no exact region on record)"
    return told


def side_matches(case: Case) -> Said:
    """Do the sides of the finding match the sides that were injected there? Both sides are not required."""
    finding = case.finding
    if finding is None:
        return NO_FINDING
    joint = joint_fit(case.chart, finding, materials=case.cause.materials)
    if not joint.fits:
        return Said(Reply.NOT_KNOWN, "no such injection is on record that counts")
    evidence = tuple(item.source for item in joint.injections) + finding_sources(case)
    if joint.side is Reply.YES:
        return Said(joint.side, lambda: f"the side described ({site_words(finding.site)}) was injected", evidence)
    if joint.side is Reply.NO:
        which = "only one of the sides described" if joint.partly_covered else "the other side"
        return Said(
            joint.side,
            lambda: f"the injection on record is on {which} ({site_words(finding.site)} described)",
            evidence,
        )
    return Said(joint.side, "a side is not stated for the injection or for the finding", evidence)


def in_filler_territory(case: Case) -> Said:
    """Does the finding lie where fillers are usually put (`groups`), and not in one of the `unusual_regions`?"""
    region = case.look.region if case.look else None
    known = case.chart.knowledge.regions.get(region) if region else None
    if known is None:
        return Said(Reply.NOT_KNOWN, "where the finding lies is not known")
    evidence = finding_sources(case)
    in_group = not case.words("groups") or known.group in case.words("groups")
    if known.filler_site and in_group and known.id not in case.words("unusual_regions"):
        return Said(Reply.YES, f"{known.name} is a usual place of fillers", evidence)
    return Said(Reply.NO, f"{known.name} is not a usual place of fillers", evidence)


def region_fits(case: Case) -> Said:
    """Does the finding lie in a region (parameter `regions`) or group of regions (`groups`) where this is usual?

    `unusual_regions` may name regions that speak against it although their group would fit.
    """
    region = case.look.region if case.look else None
    known = case.chart.knowledge.regions.get(region) if region else None
    if known is None:
        return Said(Reply.NOT_KNOWN, "where the finding lies is not known")
    evidence = finding_sources(case)
    usual = case.words("regions")
    inside = known.id in usual or known.group in case.words("groups") or not usual.isdisjoint(known.broader)
    if inside and known.id not in case.words("unusual_regions"):
        return Said(
            Reply.YES,
            lambda: f"the finding lies in {site_words(case.finding.site if case.finding else None)}",
            evidence,
        )
    if known.id in case.chart.parts and any(known.id in case.chart.knowledge.regions[item].broader for item in usual):
        return Said(Reply.NOT_KNOWN, f"{known.name} is a wide area; which part of it is not described", evidence)
    return Said(Reply.NO, f"the finding lies in {known.name.lower()}", evidence)


def tissue_fits(case: Case) -> Said:
    """Does the finding lie in the tissue (parameter `tissues`) where this is found? Region words may imply it."""
    look = case.look
    if look is None:
        return NO_FINDING
    wanted = case.words("tissues")
    evidence = finding_sources(case)
    described = look.tissues
    if not described.isdisjoint(wanted):
        return Said(Reply.YES, lambda: f"it lies in: {_words(described & wanted)}", evidence)
    if look.region in case.words("regions") or not look.morphology.isdisjoint(case.words("morphology")):
        return Said(
            Reply.YES,
            lambda: f"its place or form implies it ({site_words(case.finding.site if case.finding else None)})",
            evidence,
        )
    if described:
        return Said(Reply.NO, lambda: f"it lies in: {_words(described)}", evidence)
    return Said(Reply.NOT_KNOWN, "the tissue it lies in is not described", evidence)


def off_bone(case: Case) -> Said:
    """Is the finding described as separate from bone?"""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    if look.on_bone is None:
        return Said(Reply.NOT_KNOWN, "its relation to bone is not described", evidence)
    if look.on_bone:
        return Said(Reply.NO, "it is described as attached to bone", evidence)
    return Said(Reply.YES, "it is described as separate from bone", evidence)


def on_bone(case: Case) -> Said:
    """Is the finding described as attached to bone?"""
    return off_bone(case).turned()


def both_sides(case: Case) -> Said:
    """Is the finding described on both sides of the body?"""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    if look.sides >= LATERAL:
        return Said(Reply.YES, "described on both sides", evidence)
    if look.sides & LATERAL:
        return Said(Reply.NO, lambda: f"described on one side ({_words(look.sides)})", evidence)
    return Said(Reply.NOT_KNOWN, "the side is not described", evidence)


def one_side(case: Case) -> Said:
    """Is the finding described on one side only?"""
    return both_sides(case).turned()


def _words(words: frozenset[str]) -> str:
    return ", ".join(sorted(word.replace("_", " ") for word in words))
