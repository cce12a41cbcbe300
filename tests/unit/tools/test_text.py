"""Text of strangers cannot drive a terminal, and numbers are written the same everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eidothea.tools.text import clean, duration, interval, number, one_line, p_value


@given(st.text())
def test_nothing_that_drives_a_terminal_survives(text: str) -> None:
    shown = clean(text)
    assert not any(c < " " and c not in "\n\t" for c in shown)
    assert not any("\x7f" <= c <= "\x9f" for c in shown)
    shown.encode("utf-8")
    assert clean(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jcleared", "cleared"),
        ("over\rwrite\b\b", "overwrite"),
        ("lone \udcff surrogate", "lone \ufffd surrogate"),
        ("abc\u202edef", "abcdef"),
        ("β stays\tand\nlines", "β stays\tand\nlines"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_one_line_cuts_with_an_ellipsis() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    assert one_line("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [(0.57, False, "0.570"), (0.28, True, "+0.280"), (-29933.3, True, "-2.99e+04"), (0.00012, False, "0.00012"),
     (0.0, True, "+0.000"), (None, True, "–")],
)  # fmt: skip
def test_number(value: float | None, sign: bool, text: str) -> None:
    assert number(value, sign) == text


def test_intervals_p_values_and_durations() -> None:
    assert interval(-0.1, 0.2, sign=True) == "[-0.100, +0.200]"
    assert interval(None, 0.2) == ""
    assert [p_value(p) for p in (None, 0.0, 0.00005, 0.0123, 0.92)] == ["–", "<0.0001", "<0.0001", "0.012", "0.92"]
    assert [duration(s) for s in (0, 42, 725, 11230)] == ["0:00", "0:42", "12:05", "3:07:10"]
