from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import pytest

from eidothea.state.paper import Paper


class FakeEmbedder:
    """A bag of words hashed into few dimensions: near means sharing words. Counts what it was asked."""

    def __init__(self, name: str = "fake", dimension: int = 64) -> None:
        self.name, self.dimension, self.asked = name, dimension, 0

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += len(texts)
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> list[float]:
        vector = [0.0] * self.dimension
        for word in text.lower().split():
            vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.dimension] += 1
        length = math.sqrt(sum(x * x for x in vector)) or 1.0
        return [x / length for x in vector]


def paper(number: int, text: str) -> Paper:
    return Paper(id=f"arxiv:{number:04}", title=text.title(), summary=text)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def papers() -> list[Paper]:
    texts = ["process reward models", "tree search for theorem proving", "image captioning", "reward hacking in rl"]
    return [paper(number, text) for number, text in enumerate(texts)]
