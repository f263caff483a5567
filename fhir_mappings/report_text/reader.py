"""This file takes a report's sentences in turn and gathers what was found, each thing at each of its regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from correlation.catalogue import Knowledge
from correlation.timeline import BodySite, Certainty, FindingKind, Side
from fhir_mappings.language_rules import Language, shared
from fhir_mappings.report_text.attributes import Attributes, added, attributes_of
from fhir_mappings.report_text.drafts import IMPRESSION, Draft, summed_up_as, takes_more, with_draft, with_more
from fhir_mappings.report_text.groups import Group, groups_of
from fhir_mappings.report_text.kinds import kind_of, with_derived_form
from fhir_mappings.report_text.marks import Marked, mark
from fhir_mappings.report_text.members import by_member
from fhir_mappings.report_text.scopes import Said, clauses
from fhir_mappings.report_text.sentences import Sentence
from fhir_mappings.side_binding import SiteMention
from fhir_mappings.text_sites import without_wider

_CERTAINTY: Mapping[Said, Certainty] = {
    Said.STATED: Certainty.STATED,
    Said.NEGATED: Certainty.NEGATED,
    Said.POSSIBLE: Certainty.POSSIBLE,
    Said.HISTORY: Certainty.HISTORY,
}
_NO_TITLE_SITE = frozenset({"vessel", "duct", "gland", "node", "bone", "sinus", "organ", "tendon", "periarticular"})
_LABEL_LENGTH = 7  # words before a colon
_NODES = "adenopathy"
_NODES_REACH = 4  # words
_SMALL_VESSELS = "reticular"  # a net of small vessels lies in the fat that was examined; its region is the exam's
_ANAPHORIC = frozenset({FindingKind.CALCIFICATION, FindingKind.DEPOSIT, FindingKind.MASS})


@dataclass(slots=True)
class Reader:
    """Reads one report's sentences in turn and keeps what was found so far."""

    language: Language
    knowledge: Knowledge
    modalities: frozenset[str]
    title_sites: tuple[BodySite, ...]
    cone_beam: bool = False
    drafts: list[Draft] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, sentence: Sentence) -> None:
        """Read one sentence; what it says is kept in `drafts` and `notes`."""
        marked = mark(sentence.text, self.language, self.knowledge)
        if _tells_the_story(marked):
            return
        if _is_of_another_part(marked):
            self.notes.append("outside-target")
            return
        for start, end in clauses(marked):
            self._read_clause(sentence, marked, start, end)

    def _read_clause(self, sentence: Sentence, marked: Marked, start: int, end: int) -> None:
        groups = groups_of(marked, start=start, end=end)
        targets = [group for group in groups if group.head.role != "sign"]
        if not targets:
            self._read_without_head(sentence, marked, start, end)
            return
        sited = any(group.sites for group in targets)
        for index, group in enumerate(groups):
            if group.head.role == "sign":
                continue
            span_end = group.end
            for following in groups[index + 1 :]:
                if following.head.role != "sign":
                    break
                span_end = following.end
            self._read_group(group, sentence, marked, span_end=span_end, others_sited=sited)

    def _read_group(
        self, group: Group, sentence: Sentence, marked: Marked, *, span_end: int, others_sited: bool
    ) -> None:
        if group.head.role == "outside":
            self.notes.append("outside-target")
            return
        if group.said is Said.HYPOTHETICAL:
            self.notes.append("only-asked-about")
            return
        first_of_sentence = not any(draft.quotes and draft.quotes[-1] == sentence.text for draft in self.drafts)
        if group.explains and (not first_of_sentence or any(map(takes_more, self.drafts))):
            self.notes.append("explanation")
            self._add_named(group, sentence, marked, span_end=span_end)
            return
        if group.other and group.said is Said.NEGATED:
            return
        attributes = attributes_of(marked, sentence.text, self.language, start=group.start, end=span_end)
        attributes = replace(attributes, morphology=with_derived_form(group.head, attributes))
        kind = kind_of(group.head, attributes, self.modalities)
        if kind is FindingKind.UPTAKE and self._add_avid_nodes(group, sentence, marked):
            return
        if group.definite and group.said is Said.STATED and self._add_to_earlier(group, kind, attributes, sentence):
            return
        self._add(group, kind, attributes, sentence, marked, others_sited=others_sited)

    def _add_avid_nodes(self, group: Group, sentence: Sentence, marked: Marked) -> bool:
        """Add enlarged nodes that take up tracer to the findings before: they are a sign beside them, no deposit."""
        beside = range(group.head.start - _NODES_REACH, group.head.end + _NODES_REACH)
        signs = dict(marked.valued.get("signs", ()))
        if not any(match.start in beside for match in signs.get(_NODES, ())) or not any(map(takes_more, self.drafts)):
            return False
        if group.said is not Said.NEGATED:
            more = Attributes(signs=frozenset({_NODES}))
            self.drafts = with_more(self.drafts, more, quote=sentence.text, regions=frozenset())
        return True

    def _add_named(self, group: Group, sentence: Sentence, marked: Marked, *, span_end: int) -> None:
        """Keep what an explanation names ("compatible with phleboliths") with the findings it explains."""
        read = attributes_of(marked, sentence.text, self.language, start=group.start, end=span_end)
        named = Attributes(signs=read.signs & shared().named)
        if named.signs and group.said is not Said.NEGATED:
            self.drafts = [
                replace(draft, attributes=added(draft.attributes, named))
                if draft.quotes[-1] == sentence.text and takes_more(draft)
                else draft
                for draft in self.drafts
            ]

    def _add_to_earlier(self, group: Group, kind: FindingKind, attributes: Attributes, sentence: Sentence) -> bool:
        """Add to what "the deposits" means, if something before fits: there, or anywhere where no region is named."""
        kinds = _ANAPHORIC if kind in _ANAPHORIC else frozenset({kind})
        regions = frozenset(site.region for site in group.sites)
        earlier = [draft for draft in self.drafts if takes_more(draft) and draft.quotes[-1] != sentence.text]
        meant = [draft for draft in earlier if draft.kind in kinds]
        named = frozenset(draft.site.region for draft in meant if draft.site)
        if not meant or not regions <= named:
            return False
        self.drafts = with_more(self.drafts, attributes, quote=sentence.text, regions=regions, kinds=kinds)
        return True

    def _add(
        self,
        group: Group,
        kind: FindingKind,
        attributes: Attributes,
        sentence: Sentence,
        marked: Marked,
        *,
        others_sited: bool,
    ) -> None:
        certainty = self._certainty(group, attributes)
        if certainty is Certainty.NEGATED:
            attributes = Attributes(tissue=attributes.tissue, change=attributes.change)
        distractor = kind is FindingKind.DISTRACTOR
        sites = self._distractor_sites(group, marked) if distractor else self._sites(group, attributes, marked)
        if not (distractor or sites or others_sited or group.definite):
            sites = self._sites_of_sentence(sentence, kind, sides=self._floating_sides(group, marked))
        from_title = False
        unplaced = not (sites or others_sited or group.definite or certainty is Certainty.NEGATED)
        unplaced = unplaced and not (sentence.section == IMPRESSION and self._was_told(kind, attributes))
        if unplaced and kind is not FindingKind.DISTRACTOR and self._may_take_title(attributes):
            sites = self._titled(group, marked)
            from_title = bool(sites)
        mentions = () if distractor or from_title else self._mentions(group, attributes, marked)
        placed = by_member(
            group,
            sites,
            attributes,
            mentions=mentions,
            marked=marked,
            text=sentence.text,
            language=self.language,
        )
        for site, own in placed or ((None, attributes),):
            region_tissue = shared().tissue_of.get(site.region) if site else None
            draft = Draft(
                kind=kind,
                certainty=certainty,
                site=site,
                attributes=self._with_region_tissue(own, region_tissue),
                quotes=(sentence.text,),
                section=sentence.section,
                from_title=from_title,
            )
            self.drafts = with_draft(self.drafts, draft, self.knowledge)

    def _certainty(self, group: Group, attributes: Attributes) -> Certainty:
        """A "known" finding whose course is told is seen again, not only remembered."""
        if group.said is Said.HISTORY and (attributes.change or group.definite):
            return Certainty.STATED
        if group.explains and group.said is Said.STATED:
            return Certainty.POSSIBLE
        return _CERTAINTY[group.said]

    def _sites(self, group: Group, attributes: Attributes, marked: Marked) -> tuple[BodySite, ...]:
        mentions = self._mentions(group, attributes, marked)
        floating = self._floating_sides(group, marked)
        sites: dict[str, BodySite] = {}
        for mention in mentions:
            known = sites.get(mention.region)
            sides = (mention.sides or floating) | (known.sides if known else frozenset())
            words = marked.words
            stated = " ".join(words.words[mention.start : mention.end])
            sites[mention.region] = BodySite(region=mention.region, sides=sides, stated_as=stated)
        return tuple(sites.values())

    def _mentions(self, group: Group, attributes: Attributes, marked: Marked) -> tuple[SiteMention, ...]:
        mentions = without_wider(marked.words, self._as_arteries(group, marked), self.knowledge)
        if not mentions and not (self.title_sites and self._may_take_title(attributes)):
            return self._tissue_sites(group, attributes, marked)
        return mentions

    def _was_told(self, kind: FindingKind, attributes: Attributes) -> bool:
        """Say whether an impression that names no place sums up a finding told before."""
        calcific = "calcific" in attributes.densities
        told = (draft for draft in self.drafts if draft.site and draft.section != IMPRESSION and takes_more(draft))
        return any(summed_up_as(draft, kind, calcific=calcific) for draft in told)

    def _sites_of_sentence(
        self, sentence: Sentence, kind: FindingKind, *, sides: frozenset[Side]
    ) -> tuple[BodySite, ...]:
        """Take the regions of the statement before in the same sentence: "nodules of both cheeks; CT shows calcium"."""
        if kind not in _ANAPHORIC:
            return ()
        before = [draft for draft in self.drafts if draft.quotes[-1] == sentence.text and draft.kind in _ANAPHORIC]
        stated = [
            replace(draft.site, sides=sides or draft.site.sides)
            for draft in before
            if draft.site and not draft.from_title and draft.certainty is Certainty.STATED
        ]
        return tuple(dict.fromkeys(stated))

    def _distractor_sites(self, group: Group, marked: Marked) -> tuple[BodySite, ...]:
        """Place what is no target by its own words ("carotid siphon"), with the sides of its phrase."""
        named = marked.all("distractor_place", start=group.start, end=group.end)
        sides = frozenset(side for item in marked.sides if group.start <= item.start < group.end for side in item.sides)
        stated = {match.payload: " ".join(marked.words.words[match.start : match.end]) for match in named}
        return tuple(BodySite(region=region, sides=sides, stated_as=words) for region, words in stated.items())

    def _tissue_sites(self, group: Group, attributes: Attributes, marked: Marked) -> tuple[SiteMention, ...]:
        """Take "lymph nodes" or "vessels" for the place where no other is named and they are the tissue meant."""
        return tuple(
            site
            for site in marked.weak_sites
            if group.start <= site.start < group.end and shared().tissue_of.get(site.region) == attributes.tissue
        )

    def _as_arteries(self, group: Group, marked: Marked) -> tuple[SiteMention, ...]:
        """Read "facial and temporal arteries" as vessels, not as places of the face."""
        if not marked.all("arteries", start=group.start, end=group.end):
            return group.sites
        of = shared().artery_of
        return tuple(replace(site, region=of.get(site.region, site.region)) for site in group.sites)

    def _floating_sides(self, group: Group, marked: Marked) -> frozenset[Side]:
        """Gather sides that belong to no region, or to a mere tissue ("right quadriceps muscle")."""
        named = [(mention.start, mention.sides) for mention in marked.sides if not mention.bound]
        named += [(mention.start, mention.sides) for mention in marked.weak_sites]
        return frozenset(side for start, sides in named if group.start <= start < group.end for side in sides)

    def _titled(self, group: Group, marked: Marked) -> tuple[BodySite, ...]:
        sides = self._floating_sides(group, marked)
        return tuple(replace(site, sides=sides or site.sides) for site in self.title_sites)

    def _may_take_title(self, attributes: Attributes) -> bool:
        return attributes.tissue not in _NO_TITLE_SITE or _SMALL_VESSELS in attributes.morphology

    def _with_region_tissue(self, attributes: Attributes, tissue: str | None) -> Attributes:
        if tissue is None:
            return attributes
        order = shared().order["tissue"]
        stated = attributes.tissue
        nearer = stated is None or order.index(tissue) < order.index(stated)
        return replace(attributes, tissue=tissue if nearer else stated)

    def _read_without_head(self, sentence: Sentence, marked: Marked, start: int, end: int) -> None:
        """Read a clause that names no thing: "Separate from bone.", "Temporal and jawline fat normal."."""
        sites = tuple(site for site in marked.sites if start <= site.start < end and self._is_filler_site(site.region))
        if self._says_normal(marked, start, end):
            self._add_normal(sites, sentence, marked)
            return
        if not sites and any(start <= site.start < end for site in (*marked.sites, *marked.weak_sites)):
            return  # "No change in the sinuses." speaks of another place
        attributes = attributes_of(marked, sentence.text, self.language, start=start, end=end)
        if attributes.says_anything():
            regions = frozenset(site.region for site in sites)
            self.drafts = with_more(self.drafts, _course_only(attributes), quote=sentence.text, regions=regions)

    def _is_filler_site(self, region: str) -> bool:
        known = self.knowledge.regions.get(region)
        return known is not None and known.filler_site

    def _says_normal(self, marked: Marked, start: int, end: int) -> bool:
        return bool(marked.all("normal", start=start, end=end) and marked.all("normal_tissue", start=start, end=end))

    def _add_normal(self, sites: tuple[SiteMention, ...], sentence: Sentence, marked: Marked) -> None:
        """A region said to be normal was looked at, and holds no deposit."""
        soft = bool(self.modalities) and self.modalities <= shared().modalities["soft_tissue"]
        kind = FindingKind.DEPOSIT if soft else FindingKind.CALCIFICATION
        for mention in without_wider(marked.words, sites, self.knowledge):
            stated = " ".join(marked.words.words[mention.start : mention.end])
            draft = Draft(
                kind=kind,
                certainty=Certainty.NEGATED,
                site=BodySite(region=mention.region, sides=mention.sides, stated_as=stated),
                attributes=Attributes(tissue=None),
                quotes=(sentence.text,),
                section=sentence.section,
            )
            self.drafts = with_draft(self.drafts, draft, self.knowledge)


def _tells_the_story(marked: Marked) -> bool:
    """Say whether a sentence only tells why the patient came; one that names calcium or material is read."""
    story = marked.found.get("narration")
    return bool(story) and not any(head.kinds - {"mass"} or head.nouns - {"lesion"} for head in marked.heads)


def _is_of_another_part(marked: Marked) -> bool:
    """Say whether a sentence stands below the name of a part that is not the target: "Lung apices: calcified …"."""
    colon = marked.words.words.index(":") if ":" in marked.words.words[:_LABEL_LENGTH] else 0
    label = [head for head in marked.heads if head.start < colon]
    return any(head.role == "outside" for head in label) and not any(site.start > colon for site in marked.sites)


def _course_only(attributes: Attributes) -> Attributes:
    """Keep what a sentence without a head may add: relation to bone, HU, course, uptake and signs."""
    return Attributes(
        on_bone=attributes.on_bone,
        attenuation_hu=attributes.attenuation_hu,
        change=attributes.change,
        suv_max=attributes.suv_max,
        signs=attributes.signs,
        densities=attributes.densities if attributes.attenuation_hu else frozenset(),
    )
