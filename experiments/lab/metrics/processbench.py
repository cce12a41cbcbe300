"""ProcessBench: locate the first wrong step, or say that there is none (arXiv:2412.06559)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class ProcessBench(NamedTuple):
    """F1 and the two accuracies that it is the harmonic mean of, all in [0, 1]."""

    f1: float
    acc_error: float
    acc_correct: float


def processbench(predicted: Sequence[int], labels: Sequence[int]) -> ProcessBench:
    """Score predicted first wrong steps against labels; -1 means that every step is right.

    A class that does not occur has accuracy 0, and F1 is 0 when both accuracies are. Raises ValueError when the
    lengths differ.
    """
    hits = {True: 0, False: 0}
    counts = {True: 0, False: 0}
    for guess, label in zip(predicted, labels, strict=True):
        counts[label >= 0] += 1
        hits[label >= 0] += guess == label
    error, correct = (hits[kind] / counts[kind] if counts[kind] else 0.0 for kind in (True, False))
    return ProcessBench(harmonic_mean(error, correct), error, correct)


def harmonic_mean(a: float, b: float) -> float:
    """2ab / (a + b), and 0 when both are 0."""
    return 2 * a * b / (a + b) if a + b > 0 else 0.0


def uninformed_f1(labels: Sequence[int]) -> float:
    """The best expected F1 of a guesser that sees no solution.

    It says "wrong at the commonest error's step" with probability q: max over q of 2q(1-q)c / (qc + 1 - q), where c is
    that step's share of the errors; the maximum is at q = 1 / (1 + sqrt(c)).
    """
    errors = Counter(label for label in labels if label >= 0)
    if not errors or len(errors) == len(labels):
        return 0.0
    share = max(errors.values()) / errors.total()
    q = 1 / (1 + share**0.5)
    return harmonic_mean(q * share, 1 - q)
