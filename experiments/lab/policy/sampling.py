"""Sample continuations in batches, with a key-value cache."""

from __future__ import annotations

import torch
from torch import Tensor

from eidothea.experiments.lab.policy.tiny_gpt import KVCache, TinyGPT


# no_grad, not inference_mode: autograd refuses inference tensors, and samples are trained on.
@torch.no_grad()
def sample(
    policy: TinyGPT,
    prompts: Tensor,
    new_tokens: int,
    generator: torch.Generator,
    temperature: float = 1.0,
    n: int = 1,
) -> Tensor:
    """Continue each of the prompts (B, P), of equal length, n times by `new_tokens` sampled tokens.

    Returns (n * B, P + new_tokens), the n continuations of a prompt in consecutive rows.
    """
    ids = prompts.repeat_interleave(n, 0)
    if new_tokens == 0:
        return ids
    cache = KVCache(policy.config.layers)
    hidden = policy.hidden(prompts, cache)[:, -1].repeat_interleave(n, 0)  # a prompt is read once, not n times
    cache.repeat(n)
    for t in range(new_tokens):
        if t:
            hidden = policy.hidden(ids[:, -1:], cache)[:, -1]
        probabilities = torch.softmax(hidden @ policy.tokens.weight.T / temperature, -1)
        ids = torch.cat([ids, torch.multinomial(probabilities, 1, generator=generator)], 1)
    return ids


@torch.no_grad()
def greedy(policy: TinyGPT, prompts: Tensor, new_tokens: int) -> Tensor:
    """Continue prompts (B, P) of equal length by the likeliest token each time; returns (B, P + new_tokens)."""
    cache, ids, fresh = KVCache(policy.config.layers), prompts, prompts
    for _ in range(new_tokens):
        logits = policy.hidden(fresh, cache)[:, -1] @ policy.tokens.weight.T
        fresh = logits.argmax(-1, keepdim=True)
        ids = torch.cat([ids, fresh], 1)
    return ids
