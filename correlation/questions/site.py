"""This file answers questions of place: region, reach, side, tissue, bone."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import NO_SUCH_FILLER, Asked, Case, JointFit, Said
from correlation.injections import joint_fit
from correlation.timeline import BodySite
from correlation.withheld import OF_FILLERS, concluded
from correlation.words import LATERAL, Words


def site_in_reach(case: Case, asked: Asked) -> Said:
    """Does the finding lie where an injection of such a material can have put it: the same or an adjacent region?"""
    finding = case.finding
    joint = joint_fit(case.chart, finding, materials=asked.materials)
    if not joint.fits:
        return NO_SUCH_FILLER
    evidence = joint.sources + case.evidence
    said = Said(joint.reach, lambda words: _reach_words(words, joint, finding.site), evidence)
    return concluded(case.chart, said, from_absence=Reply.NO, held_in=OF_FILLERS)


def _reach_words(words: Words, joint: JointFit, found: BodySite | None) -> str:
    injected = "; ".join(dict.fromkeys(words.site(site) for item in joint.injections for site in item.sites))
    sentence = "site.reach_broad" if joint.broad and joint.reach is Reply.YES else "site.reach"
    return words.say(sentence, injected=injected or words.site(None), finding=words.site(found))


def side_matches(case: Case, asked: Asked) -> Said:
    """Do the sides of the finding match the sides that were injected there? Both sides are not required."""
    finding = case.finding
    joint = joint_fit(case.chart, finding, materials=asked.materials)
    if not joint.fits:
        return NO_SUCH_FILLER
    evidence = joint.sources + case.evidence
    if joint.side is Reply.YES:
        return Said(joint.side, lambda words: words.say("site.side_injected", site=words.site(finding.site)), evidence)
    if joint.side is Reply.NO:
        which = "site.one_side_injected" if joint.partly_covered else "site.other_side_injected"
        said = Said(joint.side, lambda words: words.say(which, site=words.site(finding.site)), evidence)
        return concluded(case.chart, said, from_absence=Reply.NO, held_in=OF_FILLERS)
    return Said(joint.side, "site.side_not_stated", evidence)


def in_filler_territory(case: Case, asked: Asked) -> Said:
    """Does the finding lie where fillers are usually put (`groups`), and not in one of the `unusual_regions`?"""
    region = case.look.region
    known = case.chart.knowledge.regions.get(region) if region else None
    if known is None:
        return Said(Reply.NOT_KNOWN, "site.not_known")
    evidence = case.evidence
    in_group = not asked.words("groups") or known.group in asked.words("groups")
    if known.filler_site and in_group and known.id not in asked.words("unusual_regions"):
        return Said(Reply.YES, lambda words: words.say("site.usual", region=known.name), evidence)
    return Said(Reply.NO, lambda words: words.say("site.unusual", region=known.name), evidence)


def region_fits(case: Case, asked: Asked) -> Said:
    """Does the finding lie in a region (parameter `regions`) or group of regions (`groups`) where this is usual?

    `unusual_regions` may name regions that speak against it although their group would fit.
    """
    region = case.look.region
    known = case.chart.knowledge.regions.get(region) if region else None
    if known is None:
        return Said(Reply.NOT_KNOWN, "site.not_known")
    evidence = case.evidence
    usual = asked.words("regions")
    inside = known.id in usual or known.group in asked.words("groups") or not usual.isdisjoint(known.broader)
    if inside and known.id not in asked.words("unusual_regions"):
        return Said(
            Reply.YES,
            lambda words: words.say("site.lies_in", site=words.site(case.finding.site)),
            evidence,
        )
    if known.id in case.chart.parts and any(known.id in case.chart.knowledge.regions[item].broader for item in usual):
        return Said(Reply.NOT_KNOWN, lambda words: words.say("site.wide", region=known.name), evidence)
    return Said(Reply.NO, lambda words: words.say("site.lies_in", site=words.region(known.id)), evidence)


def tissue_fits(case: Case, asked: Asked) -> Said:
    """Does the finding lie in the tissue (parameter `tissues`) where this is found? Region words may imply it."""
    look = case.look
    wanted = asked.words("tissues")
    evidence = case.evidence
    described = look.tissues
    if not described.isdisjoint(wanted):
        return Said(
            Reply.YES, lambda words: words.say("site.tissue", tissue=words.listed(described & wanted)), evidence
        )
    if look.region in asked.words("regions") or not look.morphology.isdisjoint(asked.words("morphology")):
        return Said(
            Reply.YES,
            lambda words: words.say("site.implied", site=words.site(case.finding.site)),
            evidence,
        )
    if described:
        return Said(Reply.NO, lambda words: words.say("site.tissue", tissue=words.listed(described)), evidence)
    return Said(Reply.NOT_KNOWN, "site.tissue_not_described", evidence)


def off_bone(case: Case, asked: Asked) -> Said:
    """Is the finding described as separate from bone?"""
    look = case.look
    evidence = case.evidence
    if look.on_bone is None:
        return Said(Reply.NOT_KNOWN, "site.bone_not_described", evidence)
    if look.on_bone:
        return Said(Reply.NO, "site.on_bone", evidence)
    return Said(Reply.YES, "site.off_bone", evidence)


def on_bone(case: Case, asked: Asked) -> Said:
    """Is the finding described as attached to bone?"""
    return off_bone(case, asked).turned()


def both_sides(case: Case, asked: Asked) -> Said:
    """Is the finding described on both sides of the body?"""
    look = case.look
    evidence = case.evidence
    if look.sides >= LATERAL:
        return Said(Reply.YES, "site.both_sides", evidence)
    if look.sides & LATERAL:
        return Said(Reply.NO, lambda words: words.say("site.one_side", side=words.listed(look.sides)), evidence)
    return Said(Reply.NOT_KNOWN, "site.side_not_described", evidence)


def one_side(case: Case, asked: Asked) -> Said:
    """Is the finding described on one side only?"""
    return both_sides(case, asked).turned()
