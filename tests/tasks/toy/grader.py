"""Grade predictions of the toy task: prints one JSON line; anything but one finite number per id is invalid."""

import argparse
import json
import math
import sys
from pathlib import Path


def rows(path: Path) -> list[dict[str, object]]:
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def predicted(path: Path, ids: list[str]) -> list[float]:
    """One finite number per id, in the order of `ids`; raises ValueError with the reason."""
    found: dict[str, float] = {}
    for number, row in enumerate(rows(path), 1):
        if not isinstance(row, dict) or set(row) != {"id", "y"} or not isinstance(row["id"], str):
            raise ValueError(f"line {number} is not an object with a string 'id' and a 'y'")
        key, value = row["id"], row["y"]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"line {number}: 'y' is not a number")
        if not math.isfinite(value) or abs(value) > 1e6:
            raise ValueError(f"line {number}: 'y' is not finite or larger than 1e6")
        if key in found:
            raise ValueError(f"line {number}: id {key!r} occurs twice")
        found[key] = float(value)
    if missing := [key for key in ids if key not in found]:
        raise ValueError(f"{len(missing)} of {len(ids)} ids have no prediction, first {missing[0]!r}")
    if unknown := sorted(set(found) - set(ids)):
        raise ValueError(f"id {unknown[0]!r} is not one of the inputs")
    return [found[key] for key in ids]


def r2(truth: list[float], guess: list[float]) -> float:
    mean = sum(truth) / len(truth)
    residual = sum((t - g) ** 2 for t, g in zip(truth, guess, strict=True))
    return 1 - residual / sum((t - mean) ** 2 for t in truth)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--predictions", type=Path, required=True)
    parser.add_argument("--answers", type=Path, required=True)
    args = parser.parse_args()
    answers = rows(args.answers)
    truth = [float(str(row["y"])) for row in answers]
    try:
        guess = predicted(args.predictions, [str(row["id"]) for row in answers])
    except (ValueError, OverflowError, RecursionError, OSError) as error:
        sys.stdout.write(json.dumps({"valid": False, "reason": str(error)[:300]}) + "\n")
        return
    score = r2(truth, guess)
    bias = sum(g - t for t, g in zip(truth, guess, strict=True)) / len(truth)
    report = {"valid": True, "metrics": {"r2": score, "bias": bias}, "feedback": f"R2 {score:.3f}, bias {bias:+.3f}"}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
