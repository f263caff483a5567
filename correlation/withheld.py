"""This file says what is left of a conclusion where a class of data could not be seen: less certainty, never more.

The engine weighs what was seen as if it were all; here is what may be said of it. A reply that is concluded from
absence ("none on record") is not known where a class that may hold the missing fact is withheld. No cause is more than
possible and no finding explained while anything is withheld, for what is not seen may speak for or against anything: a
tumour treated at the site, a second product, an earlier study that shows the finding before the injection. That is
simpler and more careful than to guess which class matters. The rules are ours; no clinician has reviewed them.
"""

from __future__ import annotations

from collections.abc import Sequence

from correlation.assessment import Attribution, Category, Reply
from correlation.category import LIKELY
from correlation.chart import Chart, Said
from correlation.timeline import DataClass, Withheld
from correlation.words import Words

# Where a record may tell of a filler: as a procedure or its product, as a medicine, or in a history.
OF_FILLERS = frozenset({DataClass.FILLER_HISTORY, DataClass.MEDICINES, DataClass.CONDITIONS, DataClass.OBSERVATIONS})
# Some procedures, such as dialysis, tell of a condition.
OF_CONDITIONS = frozenset({DataClass.CONDITIONS, DataClass.FILLER_HISTORY})
OF_FINDINGS = frozenset({DataClass.IMAGING, DataClass.OBSERVATIONS})
OF_RESULTS = frozenset({DataClass.OBSERVATIONS})
ANY = frozenset(DataClass)
# What may turn an attribution that denies; any other may be turned by anything.
TURNED_BY = {Attribution.NOT_EXPLAINED: OF_FILLERS, Attribution.NOT_APPLICABLE: OF_FINDINGS}


def concluded(chart: Chart, said: Said, *, from_absence: Reply, held_in: frozenset[DataClass]) -> Said:
    """The answer to a question whose reply `from_absence` only says that nothing to the contrary is on record.

    It is unsure where something of the classes `held_in`, which may hold it, is withheld.
    """
    if not chart.timeline.withheld or said.reply is not from_absence:
        return said
    return said._replace(unsure=tuple(item for item in chart.timeline.withheld if item.data in held_in))


def allowed_category(known: Category, doubted: Category) -> Category:
    """The category that may be said of a cause while anything is withheld.

    `known` is what the answers come to that are known all the same, `doubted` the same with every reply from absence
    against the cause. More than possible it never is; and what only the doubt has made likely cannot be assessed.
    """
    if known not in LIKELY:
        return known
    return Category.POSSIBLE if doubted in LIKELY else Category.UNASSESSABLE


def allowed_attribution(attribution: Attribution, withheld: Sequence[Withheld]) -> Attribution:
    """The attribution that may be said of a finding or of the patient, from the one as far as was seen.

    Not explained stays where no filler can be among what is withheld, not applicable where no finding can.
    """
    turned_by = TURNED_BY.get(attribution, ANY)
    return Attribution.INDETERMINATE if any(item.data in turned_by for item in withheld) else attribution


def but_withheld(told: str, withheld: Sequence[Withheld], words: Words) -> str:
    """A clause, and behind it what could not be seen."""
    return words.say("withheld.but", told=told, withheld="; ".join(words.withheld(withheld))) if withheld else told
