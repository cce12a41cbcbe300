"""What the reward model is trained towards."""

from __future__ import annotations

import torch
from rollouts import Layout, Rollouts
from torch import Tensor

from eidothea.experiments.lab.policy.tiny_gpt import TinyGPT


def prefix_targets(rollouts: Rollouts, policy: TinyGPT, layout: Layout, generator: torch.Generator) -> Tensor:
    """Targets (N, S + 1) in [0, 1] for the prompt and the prefix after each step; NaN where there is none.

    Every prefix is trained towards the outcome of its solution, the only label there is.
    """
    targets = torch.full((len(rollouts.ids), len(layout.ends)), torch.nan)
    targets[:] = rollouts.outcome[:, None]
    return targets
