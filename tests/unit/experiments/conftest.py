"""What the tests of the laboratory and of prm-chain share."""

from __future__ import annotations

import pytest
import torch

from eidothea.experiments.lab.policy.tiny_gpt import GPTConfig, TinyGPT


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def policy() -> TinyGPT:
    """An untrained policy with weights large enough to be far from uniform."""
    torch.manual_seed(0)
    policy = TinyGPT(GPTConfig(vocabulary=7, context=12, width=16, layers=2, heads=2)).eval()
    with torch.no_grad():
        policy.tokens.weight.mul_(40)
    return policy
