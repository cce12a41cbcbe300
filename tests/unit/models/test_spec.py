"""`--model` in all its forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from eidothea.errors import WrongUse
from eidothea.models._spec import ROLES, anchored, parse


def test_one_model_serves_every_agent() -> None:
    assert parse("catalogue") == dict.fromkeys(ROLES, ("catalogue", ""))


def test_names_may_hold_what_urls_hold() -> None:
    assert parse("openai:org/a:1@http://h:8000/v1?x=1")["coder"] == ("openai", "org/a:1@http://h:8000/v1?x=1")


def test_agents_can_differ_and_the_rest_get_the_unnamed_one() -> None:
    found = parse("idea=openai:A, coder=catalogue,openai:B")
    assert found["idea"] == ("openai", "A")
    assert found["coder"] == ("catalogue", "")
    assert found["analyst"] == ("openai", "B")
    assert parse("idea=openai:A")["coder"] == ("catalogue", "")


def test_a_model_from_outside_is_named_by_its_path() -> None:
    assert parse("my_package.models.Mine:x.y:z")["coder"] == ("my_package.models.Mine", "x.y:z")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpt-4.1", "there are: catalogue, "),
        ("gpt:4", "there are: catalogue, "),
        ("", "there are: catalogue, "),
        ("ideas=catalogue", "agents: survey, idea"),
        ("idea=catalogue,idea=catalogue", "names idea twice"),
        ("catalogue,catalogue", "names the model of all agents twice"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(WrongUse, match=message):
        parse(text)


def test_paths_hold_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert anchored("inbox:desk") == f"inbox:{tmp_path}/desk"
    mixed = anchored("idea=replay:a/b.jsonl, openai:m@http://h/v1,coder=catalogue")
    assert mixed == f"idea=replay:{tmp_path}/a/b.jsonl,openai:m@http://h/v1,coder=catalogue"
    assert anchored("inbox:/desk") == "inbox:/desk"
    assert anchored("llamacpp:smollm2") == "llamacpp:smollm2"
