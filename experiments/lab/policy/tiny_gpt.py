"""A tiny GPT (Radford et al. 2019, pre-norm) with tied embeddings, learned positions and a key-value cache."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class GPTConfig:
    """Sizes of a TinyGPT; `context` is the longest sequence in tokens."""

    vocabulary: int
    context: int
    width: int = 48
    layers: int = 2
    heads: int = 4


class KVCache:
    """Keys and values of the tokens seen so far, per layer: (B, heads, T, width / heads)."""

    def __init__(self, layers: int) -> None:
        self.keys: list[Tensor | None] = [None] * layers
        self.values: list[Tensor | None] = [None] * layers

    @property
    def length(self) -> int:
        """Tokens seen so far."""
        return 0 if self.keys[0] is None else self.keys[0].shape[2]

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Append the new tokens' keys and values of one layer; returns those of all tokens."""
        old_key, old_value = self.keys[layer], self.values[layer]
        if old_key is not None and old_value is not None:
            key, value = torch.cat([old_key, key], 2), torch.cat([old_value, value], 2)
        self.keys[layer], self.values[layer] = key, value
        return key, value

    def repeat(self, n: int) -> None:
        """Make each row n consecutive rows, so that one prompt can be continued n times."""
        self.keys = [None if key is None else key.repeat_interleave(n, 0) for key in self.keys]
        self.values = [None if value is None else value.repeat_interleave(n, 0) for value in self.values]


class Block(nn.Module):
    """One pre-norm transformer layer: causal self-attention, then a GELU network four times as wide."""

    def __init__(self, width: int, heads: int, layer: int = 0) -> None:
        super().__init__()
        self.heads, self.layer = heads, layer
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(0.0)

    def attention(self, x: Tensor, cache: KVCache | None) -> Tensor:
        batch, length, width = x.shape
        heads = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = heads.unbind(0)
        if cache is not None:
            key, value = cache.extend(self.layer, key, value)
        # A single new token may look at everything before it; several new tokens only start an empty cache.
        y = functional.scaled_dot_product_attention(query, key, value, is_causal=length > 1)
        return self.proj(y.transpose(1, 2).reshape(batch, length, width))  # type: ignore[no-any-return]

    def forward(self, x: Tensor, cache: KVCache | None = None) -> Tensor:
        """(B, T, width) to (B, T, width)."""
        x = x + self.dropout(self.attention(self.norm_attention(x), cache))
        hidden = functional.gelu(self.up(self.norm_mlp(x)), approximate="tanh")
        return x + self.dropout(self.down(hidden))  # type: ignore[no-any-return]


class TinyGPT(nn.Module):
    """A causal language model over integer tokens."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, i) for i in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        for embedding in (self.tokens, self.positions):
            nn.init.normal_(embedding.weight, std=0.02)

    def hidden(self, ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """Final hidden states (B, T, width) of token ids (B, T).

        Raises ValueError when a cache that holds tokens already is given more than one new token.
        """
        start = cache.length if cache is not None else 0
        if start and ids.shape[1] > 1:
            raise ValueError("give one token at a time once the cache holds tokens")
        x = self.tokens(ids) + self.positions.weight[start : start + ids.shape[1]]
        for block in self.blocks:
            x = block(x, cache)
        return self.norm(x)  # type: ignore[no-any-return]

    def forward(self, ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """Next-token logits (B, T, vocabulary) of token ids (B, T)."""
        return self.hidden(ids, cache) @ self.tokens.weight.T

    def logprobs(self, ids: Tensor) -> Tensor:
        """Log-probability (B, T - 1), in nats, of each token of `ids` (B, T) but the first, given those before it."""
        logits = self(ids[:, :-1])
        chosen = logits.gather(-1, ids[:, 1:, None]).squeeze(-1)
        return chosen - logits.logsumexp(-1)  # type: ignore[no-any-return]


def set_dropout(model: nn.Module, rate: float) -> None:
    """Set the rate of every dropout layer of a model, in place."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = rate


def save_policy(policy: TinyGPT, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(policy.config)) + "\n", encoding="utf-8")
    save_file(policy.state_dict(), folder / "model.safetensors")


def load_policy(folder: Path) -> TinyGPT:
    """Read a policy that `save_policy` wrote.

    Raises FileNotFoundError when a file is missing, RuntimeError when the weights do not fit the config.
    """
    policy = TinyGPT(GPTConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8"))))
    policy.load_state_dict(load_file(folder / "model.safetensors"))
    return policy.eval()
