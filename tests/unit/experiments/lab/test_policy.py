from __future__ import annotations

from pathlib import Path

import pytest
import torch

from eidothea.experiments.lab.policy.sampling import greedy, sample
from eidothea.experiments.lab.policy.tiny_gpt import GPTConfig, KVCache, TinyGPT, load_policy, save_policy, set_dropout


def tokens(random: torch.Generator, rows: int = 5, length: int = 12) -> torch.Tensor:
    return torch.randint(7, (rows, length), generator=random)


def test_the_cache_changes_nothing(policy: TinyGPT, random: torch.Generator) -> None:
    ids, cache = tokens(random), KVCache(policy.config.layers)
    parts = [policy(ids[:, :4], cache), *(policy(ids[:, t : t + 1], cache) for t in range(4, 12))]
    torch.testing.assert_close(torch.cat(parts, 1), policy(ids), atol=1e-5, rtol=1e-5)
    assert cache.length == 12


def test_a_filled_cache_takes_one_token_at_a_time(policy: TinyGPT, random: torch.Generator) -> None:
    ids, cache = tokens(random), KVCache(policy.config.layers)
    policy(ids[:, :4], cache)
    with pytest.raises(ValueError, match="one token at a time"):
        policy(ids[:, 4:6], cache)


def test_no_token_sees_the_future(policy: TinyGPT, random: torch.Generator) -> None:
    ids = tokens(random)
    other = ids.clone()
    other[:, 8:] = (other[:, 8:] + 1) % 7
    torch.testing.assert_close(policy(ids)[:, :8], policy(other)[:, :8])
    assert not torch.allclose(policy(ids)[:, 8:], policy(other)[:, 8:])


def test_logprobs_are_those_of_the_softmax(policy: TinyGPT, random: torch.Generator) -> None:
    ids = tokens(random)
    expected = torch.log_softmax(policy(ids), -1)
    for row in range(5):
        for t in range(1, 12):
            found = policy.logprobs(ids)[row, t - 1]
            assert found.item() == pytest.approx(expected[row, t - 1, ids[row, t]].item(), abs=1e-5)


def test_sampling_follows_the_probabilities(policy: TinyGPT, random: torch.Generator) -> None:
    prompt = torch.tensor([[1, 2, 3]])
    drawn = sample(policy, prompt, 1, random, n=20000)[:, -1]
    shares = torch.bincount(drawn, minlength=7) / 20000
    expected = torch.softmax(policy(prompt)[0, -1], -1)
    assert (shares - expected).abs().max() < 4 * 0.5 / 20000**0.5


def test_a_low_temperature_is_greedy(policy: TinyGPT, random: torch.Generator) -> None:
    prompts = tokens(random, length=4)
    expected = prompts
    for _ in range(6):
        expected = torch.cat([expected, policy(expected)[:, -1:].argmax(-1)], 1)
    assert torch.equal(greedy(policy, prompts, 6), expected)
    assert torch.equal(sample(policy, prompts, 6, random, temperature=1e-4), expected)


def test_continuations_of_a_prompt_are_consecutive(policy: TinyGPT, random: torch.Generator) -> None:
    prompts = tokens(random, rows=3, length=4)
    ids = sample(policy, prompts, 5, random, n=2)
    assert torch.equal(ids[:, :4], prompts.repeat_interleave(2, 0))
    assert ids.shape == (6, 9)
    assert torch.equal(sample(policy, prompts, 0, random, n=2), prompts.repeat_interleave(2, 0))


def test_samples_can_be_trained_on(policy: TinyGPT, random: torch.Generator) -> None:
    policy.logprobs(sample(policy, tokens(random, length=4), 4, random)).sum().backward()
    assert policy.tokens.weight.grad is not None


def test_a_saved_policy_comes_back(policy: TinyGPT, random: torch.Generator, tmp_path: Path) -> None:
    save_policy(policy, tmp_path / "p")
    loaded, ids = load_policy(tmp_path / "p"), tokens(random)
    assert loaded.config == policy.config
    assert torch.equal(loaded(ids), policy(ids))
    (tmp_path / "p" / "config.json").write_text('{"vocabulary": 8, "context": 12, "width": 16, "heads": 2}')
    with pytest.raises(RuntimeError, match="size mismatch"):
        load_policy(tmp_path / "p")


def test_dropout_acts_in_training_only(policy: TinyGPT, random: torch.Generator) -> None:
    ids = tokens(random)
    set_dropout(policy, 0.5)
    assert torch.equal(policy.eval()(ids), policy(ids))
    assert not torch.equal(policy.train()(ids), policy(ids))


def test_size_is_as_published() -> None:
    policy = TinyGPT(GPTConfig(vocabulary=26, context=27))
    width, layer = 48, 12 * 48**2 + 13 * 48  # attention 4w^2 + 4w, network 8w^2 + 5w, two norms 4w
    assert sum(p.numel() for p in policy.parameters()) == (26 + 27) * width + 2 * layer + 2 * width
