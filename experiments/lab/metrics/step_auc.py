"""How well step scores order right steps above wrong ones."""

from __future__ import annotations

from collections.abc import Sequence


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Computed from ranks (Mann-Whitney U). 0.5 when a class is empty. Raises ValueError when the lengths differ.
    """
    order = sorted(zip(scores, positive, strict=True))
    total, below, start = 0.0, 0, 0
    while start < len(order):
        stop = start
        while stop < len(order) and order[stop][0] == order[start][0]:
            stop += 1
        here = sum(is_positive for _, is_positive in order[start:stop])
        total += here * (below + (stop - start - here) / 2)
        below += stop - start - here
        start = stop
    positives = len(order) - below
    return total / (positives * below) if positives and below else 0.5


def step_auc(scores: Sequence[Sequence[float]], labels: Sequence[int]) -> float:
    """AUC of step scores over the steps up to and including the first wrong one; later steps have no clear label.

    `scores` hold one number per step and solution, higher meaning likelier right; `labels` are first wrong steps or -1.
    """
    flat = [
        (score, step != label)
        for row, label in zip(scores, labels, strict=True)
        for step, score in enumerate(row if label < 0 else row[: label + 1])
    ]
    return auc([score for score, _ in flat], [right for _, right in flat])
