"""Find the first wrong step of a solution, having learnt from outcomes only.

The reward model of scorer.py is trained on the targets of targets.py. A step whose score is below a threshold is called
wrong; the threshold is chosen by outcomes too, on training problems that were held out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from rollouts import Layout, Rollouts, load_inputs, load_layout, load_rollouts, split_by_problem
from safetensors.torch import load_file, save_file
from scorer import Scorer, loss_of, step_scores
from targets import prefix_targets
from torch import Tensor

from eidothea.experiments.lab.decisions.first_error import first_below
from eidothea.experiments.lab.decisions.threshold import choose_threshold
from eidothea.experiments.lab.policy.tiny_gpt import TinyGPT, load_policy, save_policy, set_dropout

EPOCHS = 6
BATCH_SIZE = 128
LEARNING_RATE = 5e-4
WARMUP_STEPS = 10
WEIGHT_DECAY = 0.01
DROPOUT = 0.0
RULE = "harmonic"  # what the threshold maximises on the held-out problems
VALIDATION_SHARE = 0.15
TIME_SHARE = 0.8  # of the seconds allowed; what is left is for validation and saving
STARTED = time.monotonic()


def batches(rollouts: Rollouts, generator: torch.Generator) -> list[Tensor]:
    """Indices of all rollouts in random order, cut into batches."""
    order = torch.randperm(len(rollouts.ids), generator=generator)
    return list(order.split(BATCH_SIZE))


def fit(scorer: Scorer, rollouts: Rollouts, targets: Tensor, seconds: float, generator: torch.Generator) -> None:
    """Train until EPOCHS are done or the time is used up."""
    optimizer = torch.optim.AdamW(scorer.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / WARMUP_STEPS))
    set_dropout(scorer.body, DROPOUT)
    scorer.train()
    for epoch in range(EPOCHS):
        losses = []
        for index in batches(rollouts, generator):
            if time.monotonic() - STARTED > TIME_SHARE * seconds:
                print(f"stopped in epoch {epoch} to stay within {seconds:g} s")
                return
            loss = loss_of(scorer(rollouts.ids[index]), targets[index], rollouts.problem[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch} loss {sum(losses) / len(losses):.4f}")


@torch.no_grad()
def score(scorer: Scorer, policy: TinyGPT, ids: Tensor, layout: Layout) -> Tensor:
    """Scores (N, S) of the steps of solutions (N, T)."""
    scorer.eval()
    parts = [step_scores(scorer(part), part, policy, layout.ends) for part in ids.split(1024)]
    return torch.cat(parts)


def train(data: Path, out: Path, seed: int, seconds: float) -> None:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    policy, layout = load_policy(data / "policy"), load_layout(data)
    rollouts, held_out = split_by_problem(load_rollouts(data), VALIDATION_SHARE, generator)
    scorer = Scorer(policy, layout.ends)
    fit(scorer, rollouts, prefix_targets(rollouts, policy, layout, generator), seconds, generator)
    threshold = choose_threshold(score(scorer, policy, held_out.ids, layout), held_out.outcome, RULE)
    save_policy(policy, out / "policy")
    save_file(scorer.state_dict(), out / "scorer.safetensors")
    (out / "threshold.json").write_text(json.dumps(threshold), encoding="utf-8")
    (out / "meta.json").write_bytes((data / "meta.json").read_bytes())


def predict(inputs: Path, model: Path, predictions: Path) -> None:
    policy, layout = load_policy(model / "policy"), load_layout(model)
    scorer = Scorer(policy, layout.ends)
    scorer.load_state_dict(load_file(model / "scorer.safetensors"))
    threshold = json.loads((model / "threshold.json").read_text(encoding="utf-8"))
    names, ids = load_inputs(inputs, layout)
    scores = score(scorer, policy, ids, layout)
    where = first_below(scores, threshold)
    with predictions.open("w", encoding="utf-8") as file:
        for name, step, row in zip(names, where.tolist(), scores.tolist(), strict=True):
            file.write(json.dumps({"id": name, "first_error": step, "scores": row}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    training, predicting = commands.add_parser("train"), commands.add_parser("predict")
    for name, kind in (("--data", Path), ("--out", Path), ("--seed", int), ("--seconds", float)):
        training.add_argument(name, type=kind, required=True)
    for name in ("--inputs", "--model", "--predictions"):
        predicting.add_argument(name, type=Path, required=True)
    for command in (training, predicting):
        command.add_argument("--size", default="default", help="the data differ, the method does not")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.command == "train":
        train(args.data, args.out, args.seed, args.seconds)
    else:
        predict(args.inputs, args.model, args.predictions)


if __name__ == "__main__":
    main()
