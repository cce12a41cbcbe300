"""The reward model: one logit of success for the prompt and for the prefix after each step."""

from __future__ import annotations

from copy import deepcopy

from torch import Tensor, nn

from eidothea.experiments.lab.policy.tiny_gpt import TinyGPT
from eidothea.experiments.lab.rewards.objectives.cross_entropy import cross_entropy
from eidothea.experiments.lab.rewards.outcome_head import OutcomeHead, at_ends

HEAD_LAYERS = 0


class Scorer(nn.Module):
    """An outcome reward model (arXiv:2110.14168): the policy's network and a head, read at the end of each prefix."""

    def __init__(self, policy: TinyGPT, ends: list[int]) -> None:
        super().__init__()
        self.ends = ends
        self.body = deepcopy(policy)
        self.head = OutcomeHead(policy.config.width, HEAD_LAYERS)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, S + 1) of tokens (B, T)."""
        return at_ends(self.head(self.body.hidden(ids)), self.ends)


def loss_of(logits: Tensor, targets: Tensor, problem: Tensor) -> Tensor:
    """How far logits (B, S + 1) are from targets, of the same shape and NaN where nothing is known."""
    return cross_entropy(logits, targets)


def step_scores(logits: Tensor, ids: Tensor, policy: TinyGPT, ends: list[int]) -> Tensor:
    """Scores (B, S) of steps, higher for steps likelier right: the value of the prefix that the step ends."""
    scores = logits[:, 1:]
    return scores
