"""The helper that makes a recording anew answers by call, whatever the prompt says now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from questions import options, question, render
from rerecord import Loose, keep_header

from eidothea.errors import Missing, WrongUse
from eidothea.models._recorder import Recorder
from eidothea.models._recording import load
from eidothea.plugins import load as load_plugin
from eidothea.state.record import CallRecord
from eidothea.state.request import Request


def record(file: Path, requests: list[Request[Any]], run: str = "old", model: str = "wise") -> Path:
    recorder = Recorder(file, render, f"made as {run}", run)
    for number, request in enumerate(requests):
        call = CallRecord(
            run=run, key=request.key, name=request.name, agent="coder", model="x", fingerprint="f",
            answer=json.dumps({"number": number}), parameters={"model": model},
        )  # fmt: skip
        recorder.write(call, request)
    return file


async def test_each_call_is_answered_whatever_its_prompt(tmp_path: Path) -> None:
    file = record(tmp_path / "a", [question(key="1"), question(key="2"), question(key="2")])
    model = load_plugin("models", "rerecord.Loose").create(str(file), options())
    assert isinstance(model, Loose)
    assert model.parameters == {"model": "wise"}
    found = [(await model.answer(question("anew", key=key, seed=9))).value.number for key in ("2", "1", "2")]
    assert found == [1, 0, 2]
    with pytest.raises(Missing, match=r"no answer \(left\) to ask '2'"):
        await model.answer(question(key="2"))
    with pytest.raises(Missing, match="to other '1'"):
        await model.answer(question(key="1", name="other"))


def test_a_file_is_needed() -> None:
    with pytest.raises(WrongUse, match="say which recording"):
        Loose.create("", options())


def test_the_new_recording_keeps_the_old_header(tmp_path: Path) -> None:
    old, new = (record(tmp_path / run, [question()], run) for run in ("old", "new"))
    before = load(new).lines
    keep_header(old, new)
    assert load(new).header == {"eidothea_recording": 1, "made": "made as old", "run": "new"}
    assert load(new).lines == before
