from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from eidothea.experiments.lab.decisions.first_error import first_below, lowest_below
from eidothea.experiments.lab.decisions.threshold import choose_threshold

SCORES = torch.tensor([[3.0, 1.0, 0.0], [3.0, 2.0, 2.5], [-1.0, 5.0, -2.0]])


def test_first_below() -> None:
    assert first_below(SCORES, 1.5).tolist() == [1, -1, 0]


def test_lowest_below() -> None:
    assert lowest_below(SCORES, 1.5).tolist() == [2, -1, 2]


def test_the_threshold_itself_passes() -> None:
    assert first_below(torch.tensor([[1.0, 2.0]]), 1.0).tolist() == [-1]
    assert lowest_below(torch.tensor([[1.0, 2.0]]), 1.0).tolist() == [-1]


RULES: dict[str, Callable[[float, float, float], float]] = {
    "harmonic": lambda flagged, passed, wrong: 2 * flagged * passed / (flagged + passed) if flagged + passed else 0,
    "youden": lambda flagged, passed, wrong: flagged + passed,
    "accuracy": lambda flagged, passed, wrong: wrong * flagged + (1 - wrong) * passed,
}


def value(scores: torch.Tensor, right: torch.Tensor, threshold: float, rule: str) -> float:
    flags = scores.min(1).values < threshold
    flagged, passed = float(flags[~right].float().mean()), float((~flags)[right].float().mean())
    return RULES[rule](flagged, passed, float((~right).float().mean()))


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_better(rule: str, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    scores = torch.randint(8, (60, 3), generator=random).float()  # with many ties
    right = torch.rand(60, generator=random) < 0.3 + 0.1 * scores.min(1).values
    chosen = choose_threshold(scores, right.float(), rule)
    best = max(value(scores, right, threshold / 2, rule) for threshold in range(1, 16))
    assert value(scores, right, chosen, rule) == pytest.approx(best, abs=1e-6)


def test_one_outcome_is_not_enough() -> None:
    with pytest.raises(ValueError, match="right and with wrong"):
        choose_threshold(SCORES, torch.ones(3))


def test_unknown_rule() -> None:
    with pytest.raises(KeyError, match="best"):
        choose_threshold(SCORES, torch.tensor([1.0, 0.0, 1.0]), "best")
