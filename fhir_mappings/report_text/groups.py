"""This file groups the words of a clause around what was found: one group for each thing, with its own regions.

"Plaques in the malar fat and a nodule in the chin" are two groups. "A nodule with internal calcification" is one.
"Plaques and nodules of both cheeks" are two that share their region.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from fhir_mappings.report_text.marks import CONTAINER, Head, Marked, join
from fhir_mappings.report_text.scopes import Said, said
from fhir_mappings.side_binding import SiteMention

_SAME_PHRASE = re.compile(r"[mksdn(]*x?[mksdn(]*")  # nothing that parts: "calcific right malar deposits"
_COMPLEMENT = re.compile(r"[mn(x]*p[pt]*x?[mnt]*")  # "foci of coarse calcification"
_ELSEWHERE = re.compile(r"[mnksdtxp]*")  # "calcification of the left carotid siphon"
_INSIDE = re.compile(r"[mnxwk]*p[ptmxkdn]*")  # "calcifications with lucent centres within a lobulated mass"
_HELD = re.compile(r"[mnksdx]{0,4}w[mnksdxt]{0,6}")  # "kidneys with small non-obstructing stones"
_DIRECT = re.compile(r"[act]*")
_DENIED_LIST = re.compile(r"[acgtmkx]*")  # "no masses or collections in the neck"
_UNKNOWN_ADJECTIVES = 2
_MASS = frozenset({"mass"})
_CALCIFICATION = frozenset({"calcification"})
_MATERIAL_ONLY = frozenset({"material"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One thing found: its head, the words `start` to `end` that speak of it, and the regions among them."""

    head: Head
    said: Said
    start: int
    end: int
    sites: tuple[SiteMention, ...] = ()
    definite: bool = False  # "the deposits", "these": something spoken of before
    explains: bool = False  # "compatible with …": an explanation, no further finding
    other: bool = False  # "no other calcification"
    coordinated: bool = False  # "X and Y in the chin": shares its regions with the group before


def groups_of(marked: Marked, *, start: int, end: int) -> list[Group]:
    """Group a clause. Its words before the first head belong to the first group."""
    heads = _joined_heads(marked, start=start, end=end)
    starts = [
        _phrase_start(marked, head, clause_start=start, previous=heads[index - 1] if index else None)
        for index, head in enumerate(heads)
    ]
    groups: list[Group] = []
    for index, head in enumerate(heads):
        own_start = starts[index] if index else start
        own_end = starts[index + 1] if index + 1 < len(heads) else end
        groups.append(
            _group(marked, head, phrase_start=starts[index], start=own_start, end=own_end, clause=(start, end))
        )
    related = _related(marked, groups, starts)
    return _with_shared_sites(marked, related, first_phrase=starts[0] if starts else start)


def _joined_heads(marked: Marked, *, start: int, end: int) -> list[Head]:
    """Join heads of one phrase ("calcified nodule") and of one with its complement ("foci of calcification")."""
    joined: list[Head] = []
    for head in marked.heads:
        if not start <= head.start < end:
            continue
        if joined and _belongs(marked, joined[-1], head, start=start, end=end):
            joined[-1] = join(joined[-1], head)
        else:
            joined.append(head)
    return joined


def _belongs(marked: Marked, one: Head, other: Head, *, start: int, end: int) -> bool:
    between = marked.marks[one.end : other.start]
    if one.role == "sign" or other.role == "sign" or _implant_and_calcium(one, other):
        return False
    if not _same_saying(marked, one, other, start=start, end=end):
        return False
    if any(
        match.start < other.start and match.end > one.end
        for match in marked.all("explanation", start=one.end, end=other.start)
    ):
        return False
    if other.role and not one.role and not any(one.end <= site.start < other.start for site in marked.sites):
        return _ELSEWHERE.fullmatch(between) is not None
    if one.role and other.role == one.role:
        return _ELSEWHERE.fullmatch(between) is not None or _DIRECT.fullmatch(between) is not None
    if _SAME_PHRASE.fullmatch(between):
        return True
    return _COMPLEMENT.fullmatch(between) is not None


def _implant_and_calcium(one: Head, other: Head) -> bool:
    """Say whether one is an implant and the other calcifies beside it, as its capsule does."""
    return "calcification" in one.kinds ^ other.kinds and "implant" in one.kinds ^ other.kinds


def _same_saying(marked: Marked, one: Head, other: Head, *, start: int, end: int) -> bool:
    if "g" not in marked.marks[one.end : other.start]:
        return True
    return said(one, marked, start=start, end=end) == said(other, marked, start=start, end=end)


def _phrase_start(marked: Marked, head: Head, *, clause_start: int, previous: Head | None) -> int:
    """Find where the phrase of a head begins, going back over its adjectives: "and [amorphous] calcification"."""
    marks = marked.marks
    floor = previous.end if previous else clause_start
    index = head.start
    unknown = 0
    while index > floor:
        letter = marks[index - 1]
        if letter in "mksdn(":
            index -= 1
        elif letter == "x" and unknown < _UNKNOWN_ADJECTIVES:
            unknown += 1
            index -= 1
        elif letter in "ac" and index - 2 >= floor and marks[index - 2] == "m" and index < head.start:
            index -= 2
        elif letter in "tg":
            return index - 1
        else:
            break
    return index


def _group(marked: Marked, head: Head, *, phrase_start: int, start: int, end: int, clause: tuple[int, int]) -> Group:
    words = marked.words.words
    before = words[max(start, phrase_start - 1) : head.start]
    explained = [
        match
        for match in marked.all("explanation", start=clause[0], end=head.start)
        if "h" in marked.marks[clause[0] : match.start] or match.end >= phrase_start - 2
    ]
    if "h" in marked.marks[clause[0] : phrase_start] and marked.marks[phrase_start - 1] == "c":
        explained += marked.all("alternative", start=head.end, end=head.end + 1)
    others = marked.all("other", start=phrase_start, end=min(end, head.end + 1))
    return Group(
        head=head,
        said=said(head, marked, start=clause[0], end=clause[1]),
        start=start,
        end=end,
        sites=tuple(site for site in marked.sites if start <= site.start < end),
        definite=bool(marked.all("definite", start=phrase_start, end=head.start)),
        explains=bool(explained),
        other=bool(others) and bool(before),
    )


def _related(marked: Marked, groups: list[Group], starts: list[int]) -> list[Group]:
    """Join components into their group and note which groups are coordinated."""
    result: list[Group] = []
    in_list_of_components = False
    for group, phrase_start in zip(groups, starts, strict=True):
        previous = result[-1] if result else None
        if previous is None or previous.head.role == "sign":
            result.append(group)
            in_list_of_components = False
            continue
        lead = marked.marks[phrase_start - 1] if phrase_start else ""
        article = marked.marks[phrase_start : phrase_start + 1] == "t"
        lies_in = _INSIDE.fullmatch(marked.marks[previous.head.end : group.head.start])
        inside = lies_in and not previous.sites and group.head.kinds == _MASS and previous.said == group.said
        if inside and not previous.head.role and not group.head.role:
            result[-1] = _merged(previous, group)  # "calcifications within a mass of the left cheek": one finding
            continue
        between = marked.marks[previous.head.end : phrase_start]
        unplaced = not previous.sites
        elsewhere = previous.head.role in ("outside", "distractor") and not group.head.role
        held = _HELD.fullmatch(marked.marks[previous.head.end : group.head.start]) is not None
        if elsewhere and held and not _own_sites(group, phrase_start) and previous.said == group.said:
            result[-1] = _merged(previous, group)  # "kidneys with small stones": not where a filler is
            continue
        capsule = _implant_and_calcium(previous.head, group.head)
        alike = not capsule and previous.said == group.said and not previous.head.role and not group.head.role
        residue = "residue" in group.head.nouns
        bare = not _own_sites(group, phrase_start)
        apposed = lead == "c" and bare and not article and _says_the_same(previous.head, group.head)
        if alike and (
            apposed
            or (lead == "w" and (bare or residue or unplaced))
            or (in_list_of_components and lead in "ac" and not article and bare)
        ):
            in_list_of_components = lead != "c" or in_list_of_components
            result[-1] = _merged(previous, group)
            continue
        in_list_of_components = False
        coordinated = alike and lead in "ac" and _DIRECT.fullmatch(between) is not None
        if coordinated:
            result[-1], group = _inherit_kinds(previous, group)
        result.append(replace(group, coordinated=coordinated))
    return result


def _says_the_same(head: Head, again: Head) -> bool:
    """Say whether a later phrase only describes: "threads in both cheeks, thin metallic densities"."""
    return again.nouns <= _MATERIAL_ONLY and again.kinds <= head.kinds


def _own_sites(group: Group, phrase_start: int) -> tuple[SiteMention, ...]:
    return tuple(site for site in group.sites if site.start >= phrase_start)


def _merged(group: Group, component: Group) -> Group:
    return replace(
        group, head=_containing(group.head, component.head), end=component.end, sites=(*group.sites, *component.sites)
    )


def _containing(head: Head, component: Head) -> Head:
    """Note that a mass or nodule contains calcification: it stays a mass, unless its look says otherwise."""
    whole = join(head, component)
    contains = component.kinds == _CALCIFICATION and (
        head.kinds == _MASS or (not head.kinds and "lesion" in head.nouns)
    )
    return replace(whole, nouns=whole.nouns | {CONTAINER}) if contains else whole


def _inherit_kinds(one: Group, other: Group) -> tuple[Group, Group]:
    """Give a bare noun the kind of the thing it is named with: "calcifications and foci"."""
    if one.head.kinds and not other.head.kinds and other.head.nouns:
        other = replace(other, head=replace(other.head, kinds=one.head.kinds))
    elif other.head.kinds and not one.head.kinds and one.head.nouns <= _MATERIAL_ONLY:
        one = replace(one, head=replace(one.head, kinds=other.head.kinds))
    return one, other


def _denied_together(marked: Marked, group: Group, following: Group) -> bool:
    """Say whether two things are denied in one list, of which only the last is placed."""
    between = marked.marks[group.head.end : following.head.start]
    return (
        group.said is following.said is Said.NEGATED
        and not group.sites
        and not group.head.role
        and _DENIED_LIST.fullmatch(between) is not None
    )


def _with_shared_sites(marked: Marked, groups: list[Group], *, first_phrase: int) -> list[Group]:
    """Give groups without a region one: the next group's, the clause's first, or the place of what is denied."""
    leading = tuple(site for site in groups[0].sites if site.start < first_phrase) if groups else ()
    shared = list(groups)
    for index in range(len(shared) - 2, -1, -1):
        following = shared[index + 1]
        listed = not shared[index].sites and following.coordinated and bool(following.sites)
        if listed or _denied_together(marked, shared[index], following):
            shared[index] = replace(shared[index], sites=following.sites)
        elif following.explains or _implant_and_calcium(shared[index].head, following.head):
            borrowed = following.sites if not shared[index].sites and not shared[index].head.role else ()
            shared[index] = replace(shared[index], sites=shared[index].sites or borrowed)
    for index in range(1, len(shared)):
        group, previous = shared[index], shared[index - 1]
        if group.sites or group.head.role:
            continue
        denied = (
            group.said is Said.NEGATED and previous.said is Said.STATED and not group.head.kinds & previous.head.kinds
        )
        if denied and previous.sites and not previous.head.role:
            shared[index] = replace(group, sites=previous.sites)
        elif previous.sites and group.said is previous.said and _implant_and_calcium(previous.head, group.head):
            own = frozenset(
                side
                for mention in marked.sides
                if not mention.bound and group.start <= mention.start < group.end
                for side in mention.sides
            )
            shared[index] = replace(group, sites=tuple(replace(one, sides=own or one.sides) for one in previous.sites))
        elif leading and group.said == shared[0].said:
            shared[index] = replace(group, sites=leading)
    return shared
