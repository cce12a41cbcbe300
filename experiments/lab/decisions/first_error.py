"""Ways to name the first wrong step from step scores; -1, as in ProcessBench (arXiv:2412.06559), when there is none."""

from __future__ import annotations

import torch
from torch import Tensor


def first_below(scores: Tensor, threshold: float) -> Tensor:
    """Index (B,) of the first step whose score (B, S) is below the threshold, or -1."""
    below = scores < threshold
    return torch.where(below.any(1), below.int().argmax(1), -1)


def lowest_below(scores: Tensor, threshold: float) -> Tensor:
    """Index (B,) of the lowest step score (B, S) if it is below the threshold, or -1 (arXiv:2504.15275)."""
    lowest, where = scores.min(1)
    return torch.where(lowest < threshold, where, -1)
