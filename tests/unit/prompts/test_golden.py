"""Prompts change only on purpose: each is compared with the page that a person has read."""

from __future__ import annotations

import difflib

import pytest
from golden_prompts import GOLDEN, RENEW, rendered
from prompt_contexts import CONTEXTS


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_the_prompt_is_the_one_that_was_read(name: str) -> None:
    file = GOLDEN / f"{name}.txt"
    read = file.read_text(encoding="utf-8") if file.is_file() else ""
    now = rendered(name)
    changes = difflib.unified_diff(read.splitlines(), now.splitlines(), f"golden/{name}.txt", "now", lineterm="")
    assert now == read, "\n".join([f"the prompt {name} changed; {RENEW}", *changes])


def test_no_page_is_left_over() -> None:
    assert sorted(file.stem for file in GOLDEN.iterdir()) == sorted(CONTEXTS)
