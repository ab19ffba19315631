"""The style score: how far a classifier that knows the experts' answers from the base's own takes others for the experts'.

Such a classifier is the usual measure of style transfer (Hu et al. 2017, arXiv 1703.00955; Shen et al. 2017, arXiv
1705.09655). Its features are those of authorship attribution: n-grams of characters and words (Stamatatos 2009, JASIST
60(3)), weighed by tf-idf, in logistic regression. What it shall not see is kept from it:

Length     both answers to a question are looked at in pieces of the same number of words, each vector has length one
Questions  both sides answered the same ones, and no conversation stands on both sides of fit and test
Copying    an answer that repeats learned ones or the question, or that has no end, counts as the base's own answer to the
           same question, as void: it closes no gap
Nonsense   a text of unknown characters and words counts as not the experts', for it is shown one such when it learns

It does not see whether an answer is true, or makes sense: words of the experts in a wrong order still sound like them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.core import cutting
from studio.core.errors import BadInput
from studio.core.estimate import Estimate, Floats, estimate, groups, means, separation
from studio.engine import libraries

LEAST = 20  # conversations to learn from: with fewer, a fold has hardly one of each kind of answer
MOST = 300  # from so many on, more make the score hardly surer, and the base would have to answer them all
LEAST_HELD_OUT = 5  # conversations: with fewer, an interval over them says nothing
TELLS = 0.6  # what the low end of the AUC must pass (0.5 is guessing); below, a score would be noise
FOLDS = 5
PIECE, PIECES = 30, 6  # words of a piece at most, and pieces of an answer
UNKNOWN = 0.1  # the weight of the unknown text among what the classifier learns as not the experts'
STRENGTH = 10.0  # the inverse of the regularisation; AUCs were the same from 1 to 100
BINS = 2**18  # n-grams are kept apart by their hash in so many
TOKENS = r"\w+|[^\w\s]|\n"  # words, signs, and the ends of lines
DIGIT = re.compile(r"\d")  # which number it is, is no style


@dataclass(frozen=True)
class Question:
    """What was answered: the conversation's id, the expert's answer, and the base's own after the same turns."""

    conversation: str
    expert: str
    base: str


@dataclass(frozen=True)
class Score:
    """How far an arm's answers are taken for the experts': means of P(expert), from 0 to 1.

    `experts` is the ceiling (their own answers to these questions, which were never learned), `base` the floor. `closed`
    is the share of the way between both that the arm has gone; None where they are not surely apart. `void` is the
    share of answers that count as the base's own. `each`: P(expert) of each answer, in the order given.
    """

    arm: Estimate
    experts: Estimate
    base: Estimate
    closed: Estimate | None
    void: float
    conversations: int
    each: tuple[float, ...]


@dataclass(frozen=True)
class Judge:
    """A classifier and how well it tells the experts from the base, on conversations that it had not seen.

    `why_not` is a sentence where it cannot, and therefore gives no score.
    """

    auc: Estimate
    conversations: int
    why_not: str
    classifier: Classifier

    def score(self, held_out: Sequence[Question], answers: Sequence[str], void: Sequence[bool]) -> Score:
        """The score of an arm's answers to held-out questions; `void` says which of them count as the base's own.

        Raises BadInput, with a sentence, where there is no score.
        """
        if self.why_not:
            raise BadInput(self.why_not)
        grouped = groups([each.conversation for each in held_out])
        if (count := len(set(grouped))) < LEAST_HELD_OUT:
            raise BadInput(few_held_out(count))
        lengths = [cutting.length(each.expert) for each in held_out]
        experts, base, arm = (
            self.classifier.chances(texts, lengths)
            for texts in ([each.expert for each in held_out], [each.base for each in held_out], answers)
        )
        arm = np.where(void, base, arm)
        return scored(np.stack([arm, experts, base], axis=1), grouped, float(np.mean(void)))


def few_held_out(count: int) -> str:
    return f"The style score needs answers to {LEAST_HELD_OUT} held-out conversations; there are {count}. Ask or hold out more."


def scored(chances: Floats, grouped: NDArray[np.intp], void: float) -> Score:
    """From P(expert) of the arm's, the experts' and the base's answers: (answers, 3)."""
    mean, drawn = means(chances, grouped)
    count = int(grouped.max()) + 1
    arm, experts, base = (estimate(mean[at], drawn[:, at], count) for at in range(3))
    gap = estimate(mean[1] - mean[2], drawn[:, 1] - drawn[:, 2], count)
    # Numerator and denominator are drawn together: an easy draw is easy for all three.
    closed = estimate(
        (mean[0] - mean[2]) / gap.value, (drawn[:, 0] - drawn[:, 2]) / (drawn[:, 1] - drawn[:, 2]), count
    ) if gap.low > 0 else None  # fmt: skip
    return Score(arm, experts, base, closed, void, count, tuple(map(float, chances[:, 0])))


# --- learning


def chosen(conversations: Sequence[str]) -> list[str]:
    """Which conversations to learn from, and so to let the base answer: all, or of very many as many, evenly spread."""
    ids = list(dict.fromkeys(conversations))
    return [ids[at * len(ids) // MOST] for at in range(MOST)] if len(ids) > MOST else ids


def learn(learned: Sequence[Question]) -> Judge:
    """A judge from the experts' answers and the base's own in learned conversations. Raises BadInput where there are too few."""
    usable = [each for each in learned if cutting.length(each.expert) and cutting.length(each.base)]
    taken = set(chosen([each.conversation for each in usable]))
    if len(taken) < LEAST:
        raise BadInput(
            f"The style score needs {LEAST} learned conversations that the base has answered, too; there are {len(taken)}. "
            f"Write {LEAST - len(taken)} more."
        )
    examples = Examples.of([each for each in usable if each.conversation in taken])
    return judged(examples, tested(examples), len(taken))


def cannot_tell(auc: Estimate) -> str:
    return (
        f"A classifier cannot tell your answers from the base's own: of one of each it picks yours in {auc.value:.0%}"
        " of cases (50% is guessing). So there is no style score."
    ).replace("%", " %")


@dataclass(frozen=True)
class Examples:
    """Pieces of both sides' answers. `grouped`: their conversation, `answer`: their answer, `weights`: 1 for each answer."""

    counts: Counts
    experts: NDArray[np.bool_]
    grouped: NDArray[np.intp]
    answer: NDArray[np.intp]
    weights: Floats

    @staticmethod
    def of(questions: Sequence[Question]) -> Examples:
        texts: list[str] = []
        rows: list[tuple[bool, str, int, float]] = []
        for place, each in enumerate(questions):
            size = min(PIECE, cutting.length(each.expert), cutting.length(each.base))
            for expert, text in ((True, each.expert), (False, each.base)):
                cut = cutting.pieces(text, size, PIECES)
                texts += cut
                rows += [(expert, each.conversation, 2 * place + expert, 1 / len(cut))] * len(cut)
        experts, conversations, answer, weights = zip(*rows, strict=True)
        return Examples(
            counted(texts), np.array(experts), groups(conversations), np.array(answer), np.array(weights)
        )


def judged(examples: Examples, chances: Floats, conversations: int) -> Judge:
    """How well the experts were told from the base, from what the pieces were given while they were not learned."""
    _, first = np.unique(examples.answer, return_index=True)
    sizes = np.bincount(examples.answer)
    mean = np.bincount(examples.answer, chances)[sizes > 0] / sizes[sizes > 0]
    auc = widened(separation(mean, examples.experts[first], examples.grouped[first]))
    why_not = "" if auc.low > TELLS else cannot_tell(auc)
    return Judge(auc, conversations, why_not, fitted(examples, np.arange(len(examples.experts))))


def widened(auc: Estimate) -> Estimate:
    """The interval with what it does not know of: classifiers of different folds have learned from the same texts.

    The variance grows by 1 + test size / training size * folds (Nadeau and Bengio 2003, Machine Learning 52).
    """
    by = math.sqrt(1 + FOLDS / (FOLDS - 1))
    return Estimate(
        auc.value,
        max(auc.value - by * (auc.value - auc.low), 0),
        min(auc.value + by * (auc.high - auc.value), 1),
    )


def tested(examples: Examples) -> Floats:
    """P(expert) of each piece by a classifier that has seen nothing of its conversation."""
    from sklearn.model_selection import GroupKFold

    chances = np.zeros(len(examples.experts))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    for known, asked in folds.split(examples.experts, groups=examples.grouped):
        chances[asked] = fitted(examples, known).of(tuple(each[asked] for each in examples.counts))
    return chances


# --- the classifier

Counts = tuple[Any, ...]  # sparse matrices, texts by n-grams: of characters, and of words


def counted(texts: Sequence[str]) -> Counts:
    """How often each n-gram stands in each text; capital letters count with characters, not with words."""
    libraries.wait()  # transformers imports parts of this one, too
    from sklearn.feature_extraction.text import HashingVectorizer

    shared = {"n_features": BINS, "alternate_sign": False, "norm": None}
    ways = (
        HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), lowercase=False, **shared),
        HashingVectorizer(ngram_range=(1, 2), token_pattern=TOKENS, **shared),
    )
    masked = [DIGIT.sub("0", text) for text in texts]
    return tuple(way.transform(masked) for way in ways)


@dataclass(frozen=True)
class Classifier:
    """`seen`: the columns that it has learned anything of; it needs no others, though they count in a text's length."""

    weighing: tuple[Any, ...]
    seen: NDArray[np.intp]
    regression: Any

    def of(self, counts: Counts) -> Floats:
        """P(expert) of each text."""
        rows = weighed(self.weighing, counts)[:, self.seen]
        return self.regression.predict_proba(rows)[:, 1]

    def chances(self, texts: Sequence[str], lengths: Sequence[int]) -> Floats:
        """P(expert) of each answer: the mean over its pieces, which are as long as the expert's answer; 0 for an empty one."""
        cut = [cutting.pieces(text, min(PIECE, max(size, 1)), PIECES) for text, size in zip(texts, lengths, strict=True)]  # fmt: skip
        places = np.repeat(np.arange(len(cut)), [len(each) for each in cut])
        if not len(places):
            return np.zeros(len(cut))
        of_pieces = self.of(counted([piece for each in cut for piece in each]))
        sums = np.bincount(places, of_pieces, minlength=len(cut))
        return sums / np.maximum(np.bincount(places, minlength=len(cut)), 1)


def fitted(examples: Examples, rows: NDArray[np.intp]) -> Classifier:
    """A classifier from these pieces, and from a text in which nothing is known, which is not the experts'."""
    from scipy.sparse import csr_matrix, vstack
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    counts = tuple(each[rows] for each in examples.counts)
    weighing = tuple(TfidfTransformer(sublinear_tf=True).fit(each) for each in counts)
    known = weighed(weighing, counts)
    seen = np.unique(known.indices)
    weights = examples.weights[rows]
    regression = LogisticRegression(
        C=STRENGTH, solver="liblinear", dual=True, max_iter=2000, random_state=0
    ).fit(
        vstack([known[:, seen], csr_matrix((1, len(seen)))]),
        np.append(examples.experts[rows], False),
        np.append(weights, UNKNOWN * weights.sum()),
    )
    return Classifier(weighing, seen, regression)


def weighed(weighing: Sequence[Any], counts: Counts) -> Any:
    from scipy.sparse import hstack

    return hstack([way.transform(each) for way, each in zip(weighing, counts, strict=True)]).tocsr()
