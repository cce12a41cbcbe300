from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import pytest
import torch

from eidothea.experiments.lab.policy.tiny_gpt import TinyGPT
from eidothea.experiments.lab.rewards.implicit_prm import (
    mean_prefix_rewards,
    prefix_rewards,
    step_rewards,
    token_log_ratios,
)
from eidothea.experiments.lab.rewards.outcome_head import OutcomeHead, at_ends
from eidothea.experiments.lab.rewards.step_likelihood import step_logprobs

ENDS = [3, 5, 8, 11]


@pytest.fixture
def ids(random: torch.Generator) -> torch.Tensor:
    return torch.randint(7, (6, 12), generator=random)


@pytest.fixture
def changed(policy: TinyGPT) -> TinyGPT:
    model = deepcopy(policy)
    with torch.no_grad():
        model.norm.bias.add_(torch.linspace(-1, 1, 16))
    return model


def test_an_unchanged_model_rewards_nothing(policy: TinyGPT, ids: torch.Tensor) -> None:
    rewards = prefix_rewards(token_log_ratios(deepcopy(policy), policy, ids), ENDS, beta=3.0)
    assert torch.equal(rewards, torch.zeros(6, 4))


def test_steps_telescope_to_the_response(policy: TinyGPT, changed: TinyGPT, ids: torch.Tensor) -> None:
    steps = step_rewards(prefix_rewards(token_log_ratios(changed, policy, ids), ENDS, beta=0.7))
    ratio = (changed.logprobs(ids) - policy.logprobs(ids))[:, ENDS[0] :].sum(1)
    torch.testing.assert_close(steps.sum(1), 0.7 * ratio)


def test_a_prefix_is_its_tokens(policy: TinyGPT, changed: TinyGPT, ids: torch.Tensor) -> None:
    ratios = token_log_ratios(changed, policy, ids)
    rewards = prefix_rewards(ratios, ENDS, beta=0.5)
    for column, end in enumerate(ENDS):
        expected = sum((ratios[:, t - 1] for t in range(ENDS[0] + 1, end + 1)), torch.zeros(6))
        torch.testing.assert_close(rewards[:, column], 0.5 * expected)


def test_normalised_by_response_tokens(policy: TinyGPT, changed: TinyGPT, ids: torch.Tensor) -> None:
    ratios = token_log_ratios(changed, policy, ids)
    lengths = torch.tensor([1.0, 2.0, 5.0, 8.0])
    torch.testing.assert_close(mean_prefix_rewards(ratios, ENDS, 0.5) * lengths, prefix_rewards(ratios, ENDS, 0.5))


def test_only_the_model_gets_a_gradient(policy: TinyGPT, changed: TinyGPT, ids: torch.Tensor) -> None:
    token_log_ratios(changed, policy, ids).sum().backward()
    assert changed.norm.bias.grad is not None
    assert policy.norm.bias.grad is None


@pytest.mark.parametrize("layers", [0, 2])
def test_a_head_starts_undecided_and_sees_no_future(layers: int, random: torch.Generator) -> None:
    head = OutcomeHead(16, layers).eval()
    hidden = torch.randn(3, 12, 16, generator=random)
    assert torch.equal(head(hidden), torch.zeros(3, 12))
    torch.nn.init.normal_(head.out.weight)
    later = hidden.clone()
    later[:, 9:] = 0
    torch.testing.assert_close(head(later)[:, :9], head(hidden)[:, :9])
    assert not torch.allclose(head(later)[:, 9:], head(hidden)[:, 9:])


def test_ends_are_columns() -> None:
    per_token = torch.arange(12.0).repeat(2, 1)
    assert at_ends(per_token, ENDS).tolist() == [[3.0, 5.0, 8.0, 11.0]] * 2


def test_step_likelihoods_are_sums_of_tokens(policy: TinyGPT, ids: torch.Tensor) -> None:
    found, each = step_logprobs(policy, ids, ENDS), policy.logprobs(ids)
    for column, (start, stop) in enumerate(pairwise(ENDS)):
        torch.testing.assert_close(found[:, column], each[:, start:stop].sum(1))
