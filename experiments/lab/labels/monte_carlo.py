"""Step labels from completions: does the policy still get there from here? (Math-Shepherd, arXiv:2312.08935)"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from eidothea.experiments.lab.policy.sampling import sample
from eidothea.experiments.lab.policy.tiny_gpt import TinyGPT

ROWS_AT_ONCE = 1024  # more fill the caches of a CPU, fewer leave it waiting for Python


def success_rates(
    policy: TinyGPT,
    ids: Tensor,
    ends: list[int],
    n: int,
    is_right: Callable[[Tensor, Tensor], Tensor],
    generator: torch.Generator,
) -> Tensor:
    """Share (B, len(ends)) of `n` sampled completions of each prefix that end right.

    A prefix of `ids` (B, T) runs up to and includes the position `end`; a completion fills it to T tokens again.
    `is_right` maps completions (m * n, T) and the indices (m * n,) of their rows of `ids` to booleans (m * n,).
    """
    rates = torch.empty(len(ids), len(ends))
    for rows in torch.split(torch.arange(len(ids)), max(1, ROWS_AT_ONCE // n)):
        for column, end in enumerate(ends):
            completed = sample(policy, ids[rows, : end + 1], ids.shape[1] - end - 1, generator, n=n)
            right = is_right(completed, rows.repeat_interleave(n))
            rates[rows, column] = right.view(len(rows), n).float().mean(1)
    return rates


def hard_labels(rates: Tensor) -> Tensor:
    """1 where any completion was right (hard estimation, arXiv:2312.08935, equation 3); same shape as `rates`."""
    return (rates > 0).to(rates.dtype)


def progress_labels(rates: Tensor, threshold: float = 0.8) -> Tensor:
    """Relative progress (GenPRM, arXiv:2504.00891): 1 where rate_t / rate_(t-1) is at least `threshold`.

    `rates` (B, S + 1) starts with the prompt's; returns (B, S + 1) whose first column is 1 where the prompt's rate
    is above 0. After the first prefix with rate 0 every label is 0.
    """
    before = rates[:, :-1]
    ratio = torch.where(before > 0, rates[:, 1:] / before.clamp(min=1e-9), torch.zeros_like(before))
    alive = (rates > 0).to(rates.dtype).cumprod(1)
    return torch.cat([alive[:, :1], (ratio >= threshold) * alive[:, 1:]], 1)
