"""Fit a line by stochastic gradient descent on squared error, then predict."""

import argparse
import json
import random
from pathlib import Path

STEP_SIZE = 0.02
EPOCHS = 4
WEIGHT_DECAY = 0.0


def features(x: float) -> list[float]:
    return [1.0, x]


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def value(weights: list[float], x: float) -> float:
    return sum(w * f for w, f in zip(weights, features(x), strict=True))


def fit(points: list[dict], seed: int) -> list[float]:
    rng = random.Random(seed)
    weights = [rng.gauss(0, 0.5) for _ in features(0.0)]
    for _ in range(EPOCHS):
        order = rng.sample(points, len(points))
        for point in order:
            error = value(weights, point["x"]) - point["y"]
            gradient = [error * f for f in features(point["x"])]
            weights = [w - STEP_SIZE * (g + WEIGHT_DECAY * w) for w, g in zip(weights, gradient, strict=True)]
    return weights


def train(args: argparse.Namespace) -> None:
    weights = fit(read(args.data / "points.jsonl"), args.seed)
    (args.out / "model.json").write_text(json.dumps({"weights": weights}), encoding="utf-8")
    print("weights", " ".join(f"{w:.3f}" for w in weights))  # noqa: T201 - candidates print


def predict(args: argparse.Namespace) -> None:
    weights = json.loads((args.model / "model.json").read_text(encoding="utf-8"))["weights"]
    rows = [{"id": row["id"], "y": value(weights, row["x"])} for row in read(args.inputs)]
    args.predictions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train")
    training.add_argument("--data", type=Path, required=True)
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--seed", type=int, required=True)
    training.add_argument("--seconds", type=float, required=True)
    training.set_defaults(run=train)
    prediction = commands.add_parser("predict")
    prediction.add_argument("--inputs", type=Path, required=True)
    prediction.add_argument("--model", type=Path, required=True)
    prediction.add_argument("--predictions", type=Path, required=True)
    prediction.set_defaults(run=predict)
    for command in (training, prediction):
        command.add_argument("--size", default="full")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
