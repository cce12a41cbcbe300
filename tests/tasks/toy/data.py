"""Make the points of one split: the same split and seed always give the same bytes."""

import argparse
import json
import random
from pathlib import Path


def point(rng: random.Random) -> tuple[float, float]:
    x = rng.uniform(-1, 1)
    return x, -0.5 + 1.5 * x + 1.2 * x * x + rng.gauss(0, 0.3)


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--split", choices=["train", "test", "confirm"], required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", default="full")
    args = parser.parse_args()
    rng = random.Random(f"{args.split}/{args.seed}")
    n = (64 if args.split == "train" else 200) // (2 if args.size == "small" else 1)
    points = [point(rng) for _ in range(n)]
    if args.split == "train":
        write(args.out / "train" / "points.jsonl", [{"x": x, "y": y} for x, y in points])
        return
    ids = [f"{args.split}-{args.seed}-{i}" for i in range(n)]
    write(args.out / "inputs.jsonl", [{"id": i, "x": x} for i, (x, _) in zip(ids, points, strict=True)])
    write(args.out / "answers.jsonl", [{"id": i, "y": y} for i, (_, y) in zip(ids, points, strict=True)])


if __name__ == "__main__":
    main()
