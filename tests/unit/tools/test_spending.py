from __future__ import annotations

from pathlib import Path

import pytest

from eidothea.ledger.store import Ledger
from eidothea.state.record import Charge
from eidothea.tools.spending import by_part, dollars, named, remarks, total


@pytest.mark.parametrize(
    ("usd", "sends", "unpriced", "said"),
    [
        (0.0, 0, 0, "$0.00"),
        (0.0, 3, 0, "$0.00"),
        (0.00012, 3, 0, "$0.00012"),
        (12.345, 3, 0, "$12.35"),
        (0.5, 3, 1, "$0.50 + 1 unpriced"),
        (0.0, 3, 3, "price unknown"),
    ],
)
def test_dollars(usd: float, sends: int, unpriced: int, said: str) -> None:
    assert dollars(usd, sends, unpriced) == said


def test_the_total_has_its_limit() -> None:
    assert total(0.5, 4, 1, 2.0) == "$0.50 of 2"
    assert total(0.0, 4, 4, None) == "price unknown"


def test_remarks_are_made_only_where_needed() -> None:
    assert remarks(4, 0, 0) == []
    assert remarks(20, 12, 0) == ["no price known for 12 sends: dollars count only the rest"]
    assert remarks(1, 1, 1) == ["no price known for 1 send", "1 send broken off, counted at the worst case"]


def test_ideas_and_rounds_come_in_their_order(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'eidothea.db'}")
    for number, idea in ((10, "r10-01"), (2, "r2-100"), (2, "r2-99"), (0, "")):
        ledger.put_charge(Charge(id=f"{number}{idea}", run="r", key="k", agent="coder", idea=idea, round=number))
    found = by_part(ledger, "r")
    ledger.close()
    assert [named("idea", s.name) for s in found["idea"]] == [
        "no single idea",
        "idea r2-99",
        "idea r2-100",
        "idea r10-01",
    ]
    assert [named("round", s.name) for s in found["round"]] == ["before round 1", "round 2", "round 10"]
