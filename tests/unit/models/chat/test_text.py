"""Answers in texts, whatever stands around them."""

from __future__ import annotations

import contextlib
import json

import pytest
from chat_calls import Answer
from hypothesis import given, settings
from hypothesis import strategies as st

from eidothea.models._chat.text import Misfit, clean, parsed


@pytest.mark.parametrize(
    "text",
    [
        '{"number": 7}',
        '\n {"number": 7} ',
        '```json\n{"number": 7}\n```',
        'Here:\n```\n{"number": 7}\n```\nDone.',
        'Sure! {"number": 7} That is all.',
        '<think>Is it {"number": 8}? No.</think>\n{"number": 7}',
        'In set {a, b} the answer is {"number": 7}',
        '{"number": 7, "note": "a\nb"}',
    ],
)
def test_prose_fences_and_thoughts_around_the_json_are_forgiven(text: str) -> None:
    assert parsed(text, Answer).number == 7


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("seven", "prose"),
        ("", "prose"),
        ('{"number": ', "broken"),
        ('```json\n{"number": 7', "broken"),
        ("[7]", "prose"),
        ('{"a": ' * 100_000, "broken"),
        ('{"number": "x"}', "shape"),
        ("{}", "shape"),
        (json.dumps({"number": 7, "note": "x" * 101}), "limits"),
    ],
)
def test_misfits_are_told_apart(text: str, kind: str) -> None:
    with pytest.raises(Misfit) as raised:
        parsed(text, Answer)
    assert raised.value.kind == kind


@settings(deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_any_text_becomes_utf_8(text: str) -> None:
    clean(text).encode()
    if all(not 0xD800 <= ord(c) <= 0xDFFF for c in text):
        assert clean(text) == text


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_any_text_is_an_answer_or_a_misfit(text: str) -> None:
    with contextlib.suppress(Misfit):
        assert isinstance(parsed(text, Answer), Answer)
    with contextlib.suppress(Misfit):
        assert isinstance(parsed(f'{{"number": 1, "note": "{text}"}}', Answer), Answer)
