from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from eidothea.experiments.lab.rewards.objectives.cross_entropy import cross_entropy
from eidothea.experiments.lab.rewards.objectives.dpo import dpo, pairs
from eidothea.experiments.lab.rewards.objectives.kto import kto
from eidothea.experiments.lab.rewards.objectives.nca import nca
from eidothea.experiments.lab.rewards.objectives.squared_error import squared_error

OUTCOMES = torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0])
GROUPS = torch.tensor([0, 0, 0, 1, 2])
REWARDS = torch.tensor([0.3, -1.2, 0.8, 2.0, -0.5])


def s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_pairs_share_a_problem() -> None:
    right, wrong = pairs(OUTCOMES, GROUPS)
    assert list(zip(right.tolist(), wrong.tolist(), strict=True)) == [(0, 1), (0, 2)]


def test_dpo_closed_form() -> None:
    expected = -(math.log(s(0.3 + 1.2)) + math.log(s(0.3 - 0.8))) / 2
    assert dpo(REWARDS, OUTCOMES, GROUPS).item() == pytest.approx(expected, abs=1e-6)
    assert dpo(torch.zeros(5), OUTCOMES, GROUPS).item() == pytest.approx(math.log(2))


def test_dpo_ignores_the_level_of_a_problem_and_nca_does_not() -> None:
    shifted = REWARDS + torch.tensor([5.0, 5.0, 5.0, 0.0, 0.0])
    assert dpo(shifted, OUTCOMES, GROUPS).item() == pytest.approx(dpo(REWARDS, OUTCOMES, GROUPS).item(), abs=1e-6)
    assert nca(shifted, OUTCOMES, GROUPS).item() > nca(REWARDS, OUTCOMES, GROUPS).item() + 1


def test_nca_closed_form() -> None:
    def pair(good: float, bad: float) -> float:
        return -(math.log(s(good)) + 0.5 * math.log(s(-good)) + 0.5 * math.log(s(-bad)))

    expected = (pair(0.3, -1.2) + pair(0.3, 0.8)) / 2
    assert nca(REWARDS, OUTCOMES, GROUPS).item() == pytest.approx(expected, abs=1e-6)


def test_kto_closed_form() -> None:
    point = (0.3 - 1.2 + 0.8 + 2.0 - 0.5) / 5
    right = sum(1 - s(r - point) for r in (0.3, 2.0, -0.5)) / 3
    wrong = sum(1 - s(point - r) for r in (-1.2, 0.8)) / 2
    assert kto(REWARDS, OUTCOMES).item() == pytest.approx((right + wrong) / 2, abs=1e-6)
    assert kto(torch.tensor([-3.0]), torch.tensor([1.0])).item() == pytest.approx(1 - s(-3.0))


def test_cross_entropy_and_squared_error_skip_the_unknown() -> None:
    logits, targets = torch.tensor([[0.4, 2.0], [-1.0, 9.0]]), torch.tensor([[1.0, 0.25], [0.0, torch.nan]])
    entropy = -(math.log(s(0.4)) + 0.25 * math.log(s(2.0)) + 0.75 * math.log(s(-2.0)) + math.log(s(1.0))) / 3
    assert cross_entropy(logits, targets).item() == pytest.approx(entropy, abs=1e-6)
    squares = ((s(0.4) - 1) ** 2 + (s(2.0) - 0.25) ** 2 + s(-1.0) ** 2) / 3
    assert squared_error(logits, targets).item() == pytest.approx(squares, abs=1e-6)


def loss(name: str, rewards: Tensor, outcomes: Tensor) -> Tensor:
    groups = torch.zeros(len(rewards), dtype=torch.long)
    if name in ("dpo", "nca"):
        return {"dpo": dpo, "nca": nca}[name](rewards, outcomes, groups)
    return {"kto": kto, "cross_entropy": cross_entropy, "squared_error": squared_error}[name](rewards, outcomes)


@pytest.mark.parametrize("name", ["dpo", "nca", "kto", "cross_entropy", "squared_error"])
def test_every_objective_raises_the_right_and_lowers_the_wrong(name: str) -> None:
    rewards = torch.zeros(4, requires_grad=True)
    outcomes = torch.tensor([1.0, 0.0, 0.0, 1.0])
    loss(name, rewards, outcomes).backward()
    assert rewards.grad is not None
    assert ((rewards.grad < 0) == (outcomes > 0.5)).all()


@pytest.mark.parametrize("name", ["dpo", "nca"])
def test_without_pairs_there_is_nothing_to_learn(name: str) -> None:
    rewards = torch.tensor([1.0, 2.0], requires_grad=True)
    value = loss(name, rewards, torch.ones(2))
    value.backward()
    assert value.item() == 0
    assert rewards.grad is not None
    assert rewards.grad.tolist() == [0, 0]


@pytest.mark.parametrize("objective", [cross_entropy, squared_error])
def test_without_targets_there_is_nothing_to_learn(objective: object) -> None:
    assert callable(objective)
    logits = torch.ones(2, requires_grad=True)
    value = objective(logits, torch.full((2,), torch.nan))
    value.backward()
    assert value.item() == 0
    assert logits.grad is not None
    assert logits.grad.tolist() == [0, 0]
