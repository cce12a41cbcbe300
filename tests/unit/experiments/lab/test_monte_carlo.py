from __future__ import annotations

from itertools import product

import pytest
import torch

from eidothea.experiments.lab.labels.monte_carlo import hard_labels, progress_labels, success_rates
from eidothea.experiments.lab.policy.tiny_gpt import TinyGPT


def exact_value(policy: TinyGPT, prefix: list[int], length: int) -> float:
    """Probability that the tokens sum to a multiple of 3, by enumeration of all completions."""
    tails = list(product(range(7), repeat=length - len(prefix)))
    ids = torch.tensor([[*prefix, *tail] for tail in tails])
    probability = policy.logprobs(ids)[:, len(prefix) - 1 :].sum(1).exp()
    return float(probability[ids.sum(1) % 3 == 0].sum().detach())


def test_rates_are_values_of_the_policy(policy: TinyGPT, random: torch.Generator) -> None:
    ids, ends, n = torch.tensor([[1, 2, 3, 4, 5], [0, 6, 6, 1, 2]]), [1, 2, 4], 3000
    rows_seen: set[int] = set()

    def is_right(completed: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        rows_seen.update(rows.tolist())
        assert torch.equal(completed[:, :2], ids[rows, :2])
        return completed.sum(1) % 3 == 0

    rates = success_rates(policy, ids, ends, n, is_right, random)
    for row, column in product(range(2), range(3)):
        value = exact_value(policy, ids[row, : ends[column] + 1].tolist(), 5)
        assert rates[row, column].item() == pytest.approx(value, abs=4 * 0.5 / n**0.5)
    assert rows_seen == {0, 1}
    assert rates[:, 2].tolist() == [1.0, 1.0]


def test_a_hard_label_is_right_once_in_n(policy: TinyGPT, random: torch.Generator) -> None:
    ids = torch.tensor([[1, 2, 3, 4]]).repeat(4000, 1)
    value = exact_value(policy, [1, 2], 4)
    rates = success_rates(policy, ids, [1], 2, lambda done, rows: done.sum(1) % 3 == 0, random)
    assert hard_labels(rates).mean().item() == pytest.approx(1 - (1 - value) ** 2, abs=4 * 0.5 / 4000**0.5)


def test_hard_labels() -> None:
    assert hard_labels(torch.tensor([[0.0, 0.01, 1.0]])).tolist() == [[0.0, 1.0, 1.0]]


def test_steady_rates_are_progress() -> None:
    assert progress_labels(torch.full((2, 5), 0.25)).tolist() == [[1.0] * 5] * 2


def test_progress_needs_the_ratio_and_ends_with_hope() -> None:
    rates = torch.tensor([[0.5, 0.4, 0.3, 0.0, 1.0], [0.0, 0.5, 0.5, 0.5, 0.5]])
    assert progress_labels(rates, 0.8).tolist() == [[1.0, 1.0, 0.0, 0.0, 0.0], [0.0] * 5]


def test_a_tiny_threshold_gives_cumulative_hard_labels(random: torch.Generator) -> None:
    rates = torch.randint(4, (50, 5), generator=random) / 3
    assert torch.equal(progress_labels(rates, 1e-6), hard_labels(rates).cumprod(1))
