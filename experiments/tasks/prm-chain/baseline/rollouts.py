"""What the task gives to learn from and to judge, as tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """Where things are in a row of tokens: `ends` are the last tokens of the prompt and of each of the S steps."""

    length: int
    ends: list[int]
    answer_at: int
    end: int


class Rollouts(NamedTuple):
    """N sampled solutions: tokens (N, T), whether the final answer was right, the right answer's token, the problem."""

    ids: Tensor
    outcome: Tensor
    answer: Tensor
    problem: Tensor

    def rows(self, index: Tensor) -> Rollouts:
        return Rollouts(*(tensor[index] for tensor in self))


def load_layout(folder: Path) -> Layout:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return Layout(meta["length"], meta["ends"], meta["answer_at"], meta["end"])


def load_rollouts(folder: Path) -> Rollouts:
    tensors = load_file(folder / "rollouts.safetensors")
    return Rollouts(
        tensors["ids"].long(), tensors["outcome"].float(), tensors["answer"].long(), tensors["problem"].long()
    )


def split_by_problem(rollouts: Rollouts, share: float, generator: torch.Generator) -> tuple[Rollouts, Rollouts]:
    """All solutions of a `share` of the problems are held out; returns (the rest, the held out)."""
    problems = rollouts.problem.unique()
    chosen = problems[torch.randperm(len(problems), generator=generator)[: round(share * len(problems))]]
    held_out = torch.isin(rollouts.problem, chosen)
    return rollouts.rows(~held_out), rollouts.rows(held_out)


def load_inputs(file: Path, layout: Layout) -> tuple[list[str], Tensor]:
    """Ids and token rows (N, T) of the solutions to judge."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    tokens = [row["problem"] + [token for step in row["steps"] for token in step] + [layout.end] for row in rows]
    return [row["id"] for row in rows], torch.tensor(tokens)
