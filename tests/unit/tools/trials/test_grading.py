from __future__ import annotations

import json
from pathlib import Path

import pytest

from eidothea.errors import Missing
from eidothea.tools.tasks import load
from eidothea.tools.trials.grading import grade, parse


def line(valid: object = True, metrics: object = None, **more: object) -> str:
    return json.dumps({"valid": valid, "metrics": {"f1": 0.5} if metrics is None else metrics} | more)


def test_the_last_line_counts() -> None:
    given = parse(f"chatter\n{line(metrics={'f1': 1})}\n{line(feedback='ok')}\n\n", "f1", "t")
    assert (given.valid, given.metrics, given.feedback) == (True, {"f1": 0.5}, "ok")


@pytest.mark.parametrize(
    "metrics", [{}, {"f1": None}, {"f1": True}, {"f1": float("nan")}, {"f1": float("inf")}, {"f1": "0.5"}, [0.5]]
)
def test_a_grade_without_a_finite_metric_is_invalid(metrics: object) -> None:
    given = parse(line(metrics=metrics), "f1", "t")
    assert not given.valid
    assert "f1" in given.reason
    assert "f1" not in given.metrics


def test_other_metrics_that_are_not_finite_are_left_out() -> None:
    assert parse(line(metrics={"f1": 0.5, "auc": float("nan")}), "f1", "t").metrics == {"f1": 0.5}


def test_an_invalid_grade_keeps_its_reason() -> None:
    given = parse(line(valid=False, reason="an id is missing"), "f1", "t")
    assert (given.valid, given.reason) == (False, "an id is missing")
    assert parse(line(valid=False), "f1", "t").reason


@pytest.mark.parametrize("said", ["", "no json", "[1]", line(valid="yes"), line(valid=1), f"{line()}\nbye"])
def test_a_grader_that_prints_no_grade_is_a_broken_task(said: str) -> None:
    with pytest.raises(Missing, match="grader of task t"):
        parse(said, "f1", "t")


async def test_grading_runs_the_tasks_grader(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "answers").write_text('{"id": "a", "y": 1}\n{"id": "b", "y": 2}\n')
    (tmp_path / "p").write_text('{"id": "b", "y": 2}\n{"id": "a", "y": 1}\n')
    given = await grade(load(str(toy)), tmp_path / "p", tmp_path / "answers")
    assert given.valid
    assert given.metrics["r2"] == 1.0
    assert len(given.predictions_sha) == 64


@pytest.mark.parametrize(
    ("grader", "says"),
    [
        ("raise KeyError('oops')", "KeyError: 'oops'"),
        ("import time; time.sleep(60)", "within 0.5 s"),
        (None, "no grader.py"),
    ],
)
async def test_a_failing_grader_is_a_broken_task(toy: Path, tmp_path: Path, grader: str | None, says: str) -> None:
    from dataclasses import replace

    if grader is not None:
        (tmp_path / "grader.py").write_text(grader)
    broken = replace(load(str(toy)), folder=tmp_path)
    with pytest.raises(Missing, match=says):
        await grade(broken, tmp_path / "p", tmp_path / "a", seconds=0.5)
