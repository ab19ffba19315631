"""How near an answer is to the expert's in its content: chrF, the overlap in n-grams of characters.

Popović 2015 (WMT, "chrF: character n-gram F-score"), as sacrebleu computes it: n-grams of one to six characters, recall
counting twice. It needs no words, so it works in every script.
"""

from __future__ import annotations

from collections.abc import Sequence


def chrf(answers: Sequence[str], references: Sequence[str]) -> list[float]:
    """chrF of each answer against its reference, from 0 (nothing in common) to 100 (the same)."""
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    return [
        metric.sentence_score(answer, [reference]).score
        for answer, reference in zip(answers, references, strict=True)
    ]
