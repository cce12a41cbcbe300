"""Sameness of trees ignores what does not run."""

from __future__ import annotations

import pytest

from eidothea.tools.repair.normal import same

BEFORE = {"a.py": "def f(x):\n    return x + 1\n"}


@pytest.mark.parametrize(
    "text",
    [
        "def f( x ):\n    return (x+1)  # more\n",
        'def f(x):\n    """Says what it does."""\n    return x + 1\n',
        '"""A module."""\n\n\ndef f(x):\n\n    return x + 1\n',
        "def f(x):\n    pass\n    return x + 1\n",
    ],
)
def test_comments_docstrings_and_formatting_do_not_count(text: str) -> None:
    assert same(BEFORE, {"a.py": text})


@pytest.mark.parametrize(
    "text",
    ["def f(x):\n    return x + 2\n", "def g(x):\n    return x + 1\n", "def f(x):\n    return x + 1.0\n", "def f(:"],
)
def test_what_runs_counts(text: str) -> None:
    assert not same(BEFORE, {"a.py": text})


def test_new_files_count_only_when_they_say_something() -> None:
    assert same(BEFORE, {**BEFORE, "b.py": "# nothing\n", "c.txt": "\n"})
    assert not same(BEFORE, {**BEFORE, "b.py": "X = 1\n"})
    assert not same(BEFORE, {**BEFORE, "c.json": "{}"})
