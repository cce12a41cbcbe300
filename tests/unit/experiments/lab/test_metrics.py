from __future__ import annotations

from random import Random

import pytest

from eidothea.experiments.lab.metrics.processbench import harmonic_mean, processbench, uninformed_f1
from eidothea.experiments.lab.metrics.step_auc import auc, step_auc

LABELS = [-1, -1, 0, 0, 0, 1, 2, 3]


def test_processbench_by_hand() -> None:
    found = processbench([-1, 0, 0, 0, -1, 2, 2, -1], LABELS)
    assert found == (pytest.approx(2 * 0.5 * 0.5 / 1.0), 3 / 6, 1 / 2)


@pytest.mark.parametrize("guess", [-1, 0])
def test_a_constant_guess_scores_nothing(guess: int) -> None:
    assert processbench([guess] * 8, LABELS).f1 == 0


@pytest.mark.parametrize("labels", [[], [-1, -1], [0, 2]])
def test_an_absent_class_is_no_division_by_zero(labels: list[int]) -> None:
    assert processbench(labels, labels).f1 == 0
    assert uninformed_f1(labels) == 0


def test_perfect_guesses() -> None:
    assert processbench(LABELS, LABELS) == (1.0, 1.0, 1.0)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        processbench([0], [0, 1])


def test_uninformed_is_the_best_of_a_fine_grid() -> None:
    share = 3 / 6
    grid = max(harmonic_mean(q / 10000 * share, 1 - q / 10000) for q in range(10001))
    assert uninformed_f1(LABELS) == pytest.approx(grid, abs=1e-7)


def brute_force(scores: list[float], positive: list[bool]) -> float:
    right = [score for score, is_right in zip(scores, positive, strict=True) if is_right]
    wrong = [score for score, is_right in zip(scores, positive, strict=True) if not is_right]
    return sum((r > w) + 0.5 * (r == w) for r in right for w in wrong) / (len(right) * len(wrong))


@pytest.mark.parametrize("seed", range(20))
def test_auc_is_the_share_of_ordered_pairs(seed: int) -> None:
    rng = Random(seed)
    scores = [float(rng.randint(0, 6)) for _ in range(40)]
    positive = [True, False, *(rng.random() < 0.3 for _ in range(38))]
    assert auc(scores, positive) == pytest.approx(brute_force(scores, positive), abs=1e-12)


def test_auc_extremes() -> None:
    assert auc([1.0, 2.0], [False, True]) == 1
    assert auc([1.0, 2.0], [True, False]) == 0
    assert auc([1.0, 1.0], [True, False]) == 0.5
    assert auc([1.0], [True]) == 0.5


def test_steps_after_the_first_error_do_not_count() -> None:
    scores = [[0.9, 0.1, 99.0], [0.8, 0.7, 0.6]]
    assert step_auc(scores, [1, -1]) == 1.0
    assert step_auc(scores, [0, -1]) == brute_force([0.9, 0.8, 0.7, 0.6], [False, True, True, True])
