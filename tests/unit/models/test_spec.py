"""`--model` in all its forms."""

from __future__ import annotations

import pytest

from eidothea.errors import WrongUse
from eidothea.models._spec import ROLES, parse


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
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
