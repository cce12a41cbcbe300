"""Grade predictions: python grader.py --predictions FILE --answers FILE; prints one line of JSON.

A prediction is {"id": …, "first_error": int, "scores": [number per step]}, one line each; scores are optional, but then
for all or for none. Anything else is invalid, and the reason is named. Only the standard library is used, so that
nothing the candidate installed or wrote takes part.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

LARGEST_FILE = 16 * 2**20  # bytes; an honest file has less than 1 MiB
LARGEST_SCORE = 1e9


class Invalid(Exception):
    """The predictions break the rules; the message says how."""


def constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is not JSON")


def number(text: str) -> int:
    """An integer of JSON, as long as it is of sensible length (Python refuses to read longer than 4,300 digits)."""
    if len(text) > 20:
        raise Invalid("a number has more than 20 digits")
    return int(text)


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise Invalid("a key occurs twice in one object")
    return dict(pairs)


def parse(line: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(line, parse_constant=constant, parse_int=number, object_pairs_hook=unique)


def read(path: Path) -> str:
    """The text of the predictions file; raises Invalid."""
    if path.is_symlink() or not path.is_file():
        raise Invalid("there is no predictions file")
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise Invalid(f"the predictions file is larger than {LARGEST_FILE} bytes")
    return data.decode("utf-8")


def checked_scores(row: dict[str, Any], steps: int) -> list[float] | None:
    scores = row.get("scores")
    if scores is None and "scores" not in row:
        return None
    if not isinstance(scores, list) or len(scores) != steps:
        raise Invalid(f"'scores' is not a list of {steps} numbers, one per step")
    if any(isinstance(score, bool) or not isinstance(score, int | float) for score in scores):
        raise Invalid("'scores' holds something that is not a number")
    if not all(math.isfinite(score) and abs(score) <= LARGEST_SCORE for score in scores):
        raise Invalid(f"'scores' holds a number that is not finite or above {LARGEST_SCORE:g}")
    return [float(score) for score in scores]


def checked(row: Any, answers: dict[str, dict[str, Any]]) -> tuple[str, int, list[float] | None]:  # noqa: ANN401
    """The id, first error and scores of one prediction; raises Invalid."""
    if not isinstance(row, dict) or not {"id", "first_error"} <= set(row) <= {"id", "first_error", "scores"}:
        raise Invalid("expected an object with 'id', 'first_error' and, if you like, 'scores'")
    name, guess = row["id"], row["first_error"]
    if not isinstance(name, str) or name not in answers:
        raise Invalid(f"unknown id {name!r:.80}")
    steps = len(answers[name]["policy_scores"])
    if isinstance(guess, bool) or not isinstance(guess, int):
        raise Invalid("'first_error' is not an integer")
    if not -1 <= guess < steps:
        raise Invalid(f"'first_error' is {guess}, not between -1 and {steps - 1}")
    return name, guess, checked_scores(row, steps)


def predictions(text: str, answers: dict[str, dict[str, Any]]) -> dict[str, tuple[int, list[float] | None]]:
    """First error and scores by id, for every id; raises Invalid."""
    found: dict[str, tuple[int, list[float] | None]] = {}
    for count, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            name, guess, scores = checked(parse(line), answers)
            if name in found:
                raise Invalid(f"id {name!r} occurs twice")
        except json.JSONDecodeError as error:
            raise Invalid(f"line {count}: not JSON: {error.msg}") from None
        except Invalid as error:
            raise Invalid(f"line {count}: {error}") from None
        found[name] = guess, scores
    if len(found) < len(answers):
        absent = next(name for name in answers if name not in found)
        raise Invalid(f"{len(answers) - len(found)} of {len(answers)} ids have no prediction, for example {absent!r}")
    if 0 < sum(scores is None for _, scores in found.values()) < len(found):
        raise Invalid("some predictions have 'scores' and some have not")
    return found


def harmonic_mean(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b > 0 else 0.0


def processbench(guesses: list[int], labels: list[int]) -> tuple[float, float, float]:
    """F1, accuracy on erroneous and on correct solutions (ProcessBench, arXiv:2412.06559)."""
    hits = Counter(label >= 0 for guess, label in zip(guesses, labels, strict=True) if guess == label)
    counts = Counter(label >= 0 for label in labels)
    error, correct = (hits[kind] / counts[kind] if counts[kind] else 0.0 for kind in (True, False))
    return harmonic_mean(error, correct), error, correct


def uninformed(labels: list[int]) -> float:
    """The best expected F1 of a guesser that sees no solution: max over q of 2q(1-q)c / (qc + 1 - q), c the share of
    the commonest wrong step among the errors."""
    errors = Counter(label for label in labels if label >= 0)
    if not errors or errors.total() == len(labels):
        return 0.0
    share = max(errors.values()) / errors.total()
    q = 1 / (1 + share**0.5)
    return harmonic_mean(q * share, 1 - q)


def step_auc(scores: list[list[float]], labels: list[int]) -> float:
    """Chance that a right step scores above a first wrong one, ties counting half; later steps do not count."""
    flat = sorted(
        (score, step != label)
        for row, label in zip(scores, labels, strict=True)
        for step, score in enumerate(row if label < 0 else row[: label + 1])
    )
    total, wrong_below, start = 0.0, 0, 0
    while start < len(flat):
        stop = start
        while stop < len(flat) and flat[stop][0] == flat[start][0]:
            stop += 1
        right = sum(is_right for _, is_right in flat[start:stop])
        total += right * (wrong_below + (stop - start - right) / 2)
        wrong_below += stop - start - right
        start = stop
    rights = len(flat) - wrong_below
    return total / (rights * wrong_below) if rights and wrong_below else 0.5


def grade(path: Path, answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The report on valid predictions; raises Invalid."""
    found = predictions(read(path), answers)
    rows = list(answers.values())
    labels = [row["label"] for row in rows]
    guesses = [found[name][0] for name in answers]
    f1, error, correct = processbench(guesses, labels)
    metrics = {
        "f1": f1,
        "acc_error": error,
        "acc_correct": correct,
        "f1_uninformed": uninformed(labels),
        "f1_policy_logprob": processbench([row["policy"] for row in rows], labels)[0],
        "f1_majority": processbench([row["majority"] for row in rows], labels)[0],
        "step_auc_policy_logprob": step_auc([row["policy_scores"] for row in rows], labels),
        "flagged": sum(guess >= 0 for guess in guesses) / len(guesses),
    }
    scores = [scores for name in answers if (scores := found[name][1]) is not None]
    if scores:
        metrics["step_auc"] = step_auc(scores, labels)
    return {"valid": True, "metrics": metrics, "feedback": feedback(metrics, guesses, labels)}


def feedback(metrics: dict[str, float], guesses: list[int], labels: list[int]) -> str:
    errors = [(guess, label) for guess, label in zip(guesses, labels, strict=True) if label >= 0]
    early = sum(0 <= guess < label for guess, label in errors) / max(1, len(errors))
    late = sum(guess > label for guess, label in errors) / max(1, len(errors))
    missed = sum(guess < 0 for guess, _ in errors) / max(1, len(errors))
    return (
        f"Of the erroneous solutions {metrics['acc_error']:.0%} were located, {early:.0%} blamed too early, {late:.0%} "
        f"too late, {missed:.0%} missed; {metrics['acc_correct']:.0%} of the correct ones passed. For comparison, F1: "
        f"uninformed {metrics['f1_uninformed']:.3f}, majority vote {metrics['f1_majority']:.3f}, "
        f"the policy's own log-probability {metrics['f1_policy_logprob']:.3f}."
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--predictions", type=Path, required=True)
    parser.add_argument("--answers", type=Path, required=True)
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.answers.read_text(encoding="utf-8").splitlines()]
    try:
        report = grade(args.predictions, {row["id"]: row for row in rows})
    except (Invalid, OSError, UnicodeDecodeError, RecursionError) as error:
        reason = "the predictions are nested too deeply" if isinstance(error, RecursionError) else str(error)
        report = {"valid": False, "reason": reason[:300]}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
