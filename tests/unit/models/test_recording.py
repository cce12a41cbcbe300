"""Recordings: keys that replay on another machine, files that survive kills, and mistakes named by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model
from questions import SYSTEM, Number, question, render

from eidothea.errors import Missing, WrongUse
from eidothea.models._recorder import Recorder, claim
from eidothea.models._recording import load, masked, schema_hash
from eidothea.state.record import CallRecord
from eidothea.state.request import Request

RUN = "20261121-toy-7f3a"
KEY = "ghp" + "_" + "aB3dE6gH9" * 4


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.jsonl"


def recorder(file: Path, run: str = RUN, **more: Any) -> Recorder:
    return Recorder(file, render, "by a test", run, **more)


def call(request: Request[Any], answer: str = '{"number":4,"reason":"it is"}', **more: Any) -> CallRecord:
    fields = {"key": request.key, "name": request.name, "answer": answer, "parameters": {"model": "m"}} | more
    return CallRecord(run=RUN, agent="coder", model="openai:m", fingerprint="f", **fields)


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().split(b"\n")[1:-1]]


def test_a_line_holds_the_request_and_its_answer(file: Path) -> None:
    recorder(file).write(call(question("Größe?\u2028x")), question("Größe?\u2028x"))
    head, line, end = file.read_bytes().split(b"\n")
    assert json.loads(head) == {"eidothea_recording": 1, "made": "by a test", "run": RUN}
    assert end == b""
    row = json.loads(line)
    assert list(row) == sorted(row)
    assert "Größe" in line.decode()
    assert row.pop("key")
    assert row.pop("schema") == schema_hash(Number)
    assert row == {
        "agent": "coder", "answer": {"number": 4, "reason": "it is"}, "call": "r1-01/code/1", "n": 0,
        "outcome": "answered", "parameters": {"model": "m"}, "prompt": "## ask\nGröße?\u2028x\n", "request": "ask",
        "seed": 7, "system": SYSTEM,
    }  # fmt: skip


def test_the_same_calls_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made = recorder(tmp_path / name)
        made.write(call(question(), parameters={"b": 1, "a": 2} if name == "a" else {"a": 2, "b": 1}), question())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_came_instead_of_an_answer_is_recorded_too(file: Path) -> None:
    recorder(file).write(call(question(), "", outcome="refusal", problem="it refused"), question())
    (row,) = rows(file)
    assert (row["outcome"], row["problem"], "answer" in row) == ("refusal", "it refused", False)


def test_identical_requests_are_numbered_and_others_are_not(file: Path) -> None:
    made = recorder(file)
    for asked in (question(), question(), question("else"), question(seed=8), question(name="other"), question()):
        made.write(call(asked), asked)
    assert [row["n"] for row in rows(file)] == [0, 1, 0, 0, 0, 2]
    assert len({row["key"] for row in rows(file)}) == 4


def test_measured_numbers_are_no_part_of_a_key_and_whole_ones_are(file: Path) -> None:
    made = recorder(file)
    texts = ("gain +0.0123, p = 1.2e-05, n 5", "gain -0.0124, p = 0.0011, n 5", "gain +0.0123, p = 0.1, n 6")
    for text in texts:
        made.write(call(question(text)), question(text))
    first, second, third = (row["key"] for row in rows(file))
    assert first == second != third
    assert [row["prompt"] for row in rows(file)] == [f"## ask\n{text}\n" for text in texts]


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("0.5 -0.5 +12.75 1e-05 2.5E+10", "# # # # #"),
        ("12 seeds, r1-03, 0x1e5, 8f14e45f", "12 seeds, r1-03, 0x1e5, 8f14e45f"),
        ("[-0.01, 0.02]; a=1.0;", "[#, #]; a=#;"),
    ],
)
def test_masks(text: str, mask: str) -> None:
    assert masked(text) == mask


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["%.4f", "%+.4f", "%.2e"]))
def test_every_fraction_is_masked_however_it_is_written(value: float, style: str) -> None:
    assert masked(f"a {style % value} b") == "a # b"


def test_masking_long_numbers_ends() -> None:
    assert masked("7" * 200_000) == "7" * 200_000


def test_descriptions_of_a_schema_do_not_count_and_its_limits_do() -> None:
    def answer(**field: Any) -> type[BaseModel]:
        return create_model("Answer", __doc__=field.get("description"), title=(int, Field(**field)))

    plain = schema_hash(answer(ge=0))
    assert plain == schema_hash(answer(ge=0, description="a title", title="T"))
    assert plain != schema_hash(answer(ge=1))
    assert plain != schema_hash(create_model("Answer", description=(int, Field(ge=0))))


def test_secrets_are_in_neither_prompts_nor_answers(file: Path) -> None:
    asked = question(f"use {KEY} and hunter2hunter2")
    made = recorder(file, secrets=("hunter2hunter2",))
    made.write(call(asked, json.dumps({"number": 1, "reason": f"{KEY} hunter2hunter2"})), asked)
    made.write(call(asked, "", outcome="schema", problem=f"it said {KEY}"), asked)
    text = file.read_text()
    assert KEY not in text
    assert "hunter2" not in text
    assert load(file).lines[0].answer == {"number": 1, "reason": "[scrubbed] [scrubbed]"}


def test_a_call_from_the_ledger_is_enough_for_a_line(file: Path, tmp_path: Path) -> None:
    made = recorder(file)
    asked = question("what?")
    stored = made.keyed(call(asked), asked)
    made.write(stored)
    recorder(tmp_path / "b").write(call(asked), asked)
    assert file.read_bytes() == (tmp_path / "b").read_bytes()
    assert (stored.system, stored.prompt) == (SYSTEM, "## ask\nwhat?\n")
    assert CallRecord.model_validate(stored.model_dump(mode="json")) == stored


def test_what_a_kill_kept_from_the_file_is_caught_up_with_in_order(file: Path, tmp_path: Path) -> None:
    whole = recorder(tmp_path / "whole")
    asked = [question("a", "1"), question("a", "1"), question("a", "2"), question("b", "3"), question("a", "2")]
    calls = [whole.keyed(call(each), each) for each in asked]
    for each in calls:
        whole.write(each)
    lines = whole.file.read_bytes().splitlines(keepends=True)
    for kept in range(1, len(lines) + 1):
        for torn in (b"", *([lines[kept][:9], lines[kept][:-1]] if kept < len(lines) else [])):
            file.write_bytes(b"".join(lines[:kept]) + torn)
            recorder(file).catch_up(calls)
            assert file.read_bytes() == whole.file.read_bytes()


def test_a_deleted_file_is_written_anew(file: Path) -> None:
    made = recorder(file)
    calls = [made.keyed(call(question(text)), question(text)) for text in ("a", "b")]
    recorder(file).catch_up(calls)
    before = file.read_bytes()
    file.unlink()
    recorder(file).catch_up(calls)
    assert file.read_bytes() == before


def test_a_header_may_be_edited_and_is_kept(file: Path) -> None:
    recorder(file)
    header = json.loads(file.read_text()) | {"made": "with care", "license": "CC0-1.0"}
    file.write_text(json.dumps(header))  # no line end, as some editors leave it
    recorder(file).write(call(question()), question())
    assert load(file).header == header
    assert len(load(file).lines) == 1


def test_a_run_that_began_without_a_recording_has_none(file: Path) -> None:
    with pytest.raises(WrongUse, match="began without --record"):
        recorder(file).catch_up([call(question())])


def test_a_file_is_claimed_by_one_run(file: Path) -> None:
    claim(file)
    file.touch()  # an empty file is free, too
    claim(file)
    recorder(file)
    recorder(file)
    claim(file, RUN)
    for run in ("", "another"):
        with pytest.raises(WrongUse, match=f"holds the recording of another run .{RUN}.; name another file"):
            claim(file, run)
    with pytest.raises(WrongUse, match="another run"):
        recorder(file, "another")


@pytest.mark.parametrize("name", ["nowhere/a.jsonl", "folder", "notes.txt"])
def test_files_that_cannot_become_a_recording(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("dear diary\n")
    with pytest.raises(WrongUse, match=name.partition("/")[0]):
        claim(tmp_path / name)
    assert (tmp_path / "notes.txt").read_text() == "dear diary\n"


def test_a_file_that_cannot_be_written_ends_the_run_resumably(file: Path) -> None:
    made = recorder(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(Missing, match="cannot be written"):
        made.write(call(question()), question())


def edited(file: Path, **changes: Any) -> None:
    head, line, _ = file.read_bytes().split(b"\n")
    row = json.loads(line) | changes
    file.write_bytes(head + b"\n" + json.dumps({k: v for k, v in row.items() if v is not None}).encode() + b"\n")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompt": "something else"}, "line 2 .* does not fit its key, so its request was edited"),
        ({"seed": 8}, "does not fit its key"),
        ({"parameters": {}}, "does not fit its key"),
        ({"n": "first"}, r"line 2 .* is broken \(n: "),
        ({"sead": 8}, r"is broken \(sead: "),
        ({"answer": None}, r"is broken \(outcome 'answered'"),
        ({"outcome": "refusal"}, r"is broken \(outcome 'refusal'"),
    ],
)
def test_an_edited_request_is_named_by_its_line(file: Path, changes: dict[str, Any], said: str) -> None:
    recorder(file).write(call(question()), question())
    edited(file, **changes)
    with pytest.raises(WrongUse, match=said):
        load(file)


def test_an_answer_may_be_edited(file: Path) -> None:
    recorder(file).write(call(question()), question())
    edited(file, answer={"number": 5})
    assert load(file).lines[0].answer == {"number": 5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a recording"),
        ("[]\n", "is not a recording"),
        ('{"a": 1}\n', "is not a recording"),
        ("\udcff", "is not a recording"),
        ('{"eidothea_recording": 2, "made": ""}\n', "has format 2 and only 1 can be read"),
        ('{"eidothea_recording": 1, "made": ""}\n{"agent": "id', "line 2 .* is cut off"),
        ('{"eidothea_recording": 1, "made": ""}\n{"agent": "id\n', "line 2 .* is broken"),
    ],
)
def test_what_is_no_recording(file: Path, text: str, said: str) -> None:
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(WrongUse, match=said):
        load(file)


def test_line_ends_that_a_checkout_changed_do_no_harm(file: Path) -> None:
    recorder(file).write(call(question()), question())
    before = load(file)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert load(file).lines == before.lines


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"nowhere\.jsonl cannot be read"):
        load(tmp_path / "nowhere.jsonl")
