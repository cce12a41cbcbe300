"""The prices that come with Eidothea."""

from __future__ import annotations

from eidothea.models._chat.prices import OPENAI, price, table
from eidothea.settings import Settings


def test_every_row_is_sound() -> None:
    for name, row in table().items():
        assert 0 < row.input < row.output, name
        assert row.cached is None or row.cached < row.input, name


def test_a_dated_name_has_the_price_of_its_family_unless_it_has_its_own() -> None:
    settings = Settings()
    assert price("gpt-4.1-2025-04-14", OPENAI, settings) == table()["gpt-4.1"]
    assert price("gpt-4o-2024-05-13", OPENAI, settings) == table()["gpt-4o-2024-05-13"]


def test_what_is_not_known_is_not_guessed() -> None:
    assert price("gpt-9", OPENAI, Settings()) is None
    assert price("gpt-4.1-turbo", OPENAI, Settings()) is None
    assert price("gpt-4.1", "localhost", Settings()) is None
