from __future__ import annotations

import pytest
from pydantic import ValidationError

from eidothea.state.base import derived_seed, digest
from eidothea.state.edit import Edit
from eidothea.state.move import Move
from eidothea.state.task import Metric, Seeds, TaskSpec, hidden_split

SPEC = TaskSpec.model_validate(
    {
        "id": "t",
        "title": "T",
        "topic": "t",
        "metric": {"name": "m"},
        "commands": {"train": "a", "predict": "b"},
        "scale": {"demo": {"size": "small", "limits": {"train_s": 5}, "seeds": {"replicate": [7, 8]}}},
    }
)


def test_a_scale_overrides_what_it_names_and_nothing_else() -> None:
    demo = SPEC.at_scale("demo")
    assert (demo.size, demo.limits.train_s, demo.limits.predict_s) == ("small", 5, SPEC.limits.predict_s)
    assert (demo.seeds.replicate, demo.seeds.confirm) == ((7, 8), SPEC.seeds.confirm)
    assert SPEC.at_scale("gpu") == SPEC


def test_gain_is_positive_when_better() -> None:
    assert Metric(name="f1").gain(0.7, 0.5) == pytest.approx(0.2)
    assert Metric(name="loss", direction="min").gain(0.7, 0.5) == pytest.approx(-0.2)


def test_only_the_confirm_stage_opens_the_confirm_split() -> None:
    assert [hidden_split(stage) for stage in ("pilot", "replicate", "confirm")] == ["test", "test", "confirm"]


def test_a_seed_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="no seed twice"):
        Seeds(replicate=(1, 1))


def test_digests_depend_on_content_only() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest("ab", "c") != digest("a", "bc")
    assert derived_seed(0, "x") == derived_seed(0, "x")
    assert derived_seed(0, "x") != derived_seed(1, "x")


def test_a_move_fills_in_its_settings_as_python() -> None:
    edit = Edit(path="a.py", search="RATE = 1", replace="RATE = $rate; NAME = $name")
    move = Move(name="m", title="M", changes="c", mechanism="m", edits=(edit,))
    assert move.render({"rate": 0.5, "name": "x"})[0].replace == "RATE = 0.5; NAME = 'x'"
    with pytest.raises(KeyError):
        move.render({"rate": 0.5})
