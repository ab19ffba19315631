"""Whether judges see the same: Krippendorff's alpha for names (2011, Computing Krippendorff's Alpha-Reliability)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence


def alpha(units: Iterable[Sequence[str]]) -> float | None:
    """1: judges always chose the same; 0: no more often than by chance; below: less often.

    `units`: what was chosen for each question, one name a judge. None where no question has two judges, or where nobody ever
    chose another thing than the rest, by which nothing is shown.
    """
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    for chosen in units:
        for one, a in enumerate(chosen):
            for two, b in enumerate(chosen):
                if one != two:
                    pairs[a, b] += 1 / (len(chosen) - 1)
    totals: dict[str, float] = defaultdict(float)
    for (a, _), count in pairs.items():
        totals[a] += count
    whole = sum(totals.values())
    by_chance = whole**2 - sum(count**2 for count in totals.values())
    if not by_chance:
        return None
    differing = sum(count for (a, b), count in pairs.items() if a != b)
    return 1 - (whole - 1) * differing / by_chance
