"""What was spent: by whom and on what, what is unknown or lost, and what an older ledger had counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import eidothea.ledger
from eidothea.ledger.store import Ledger
from eidothea.state.answer import Tokens
from eidothea.state.record import Charge, Spent

CHEAP, DEAR = "openai:cheap", "openai:dear"


def charge(name: str, agent: str, idea: str, model: str, tokens: Tokens, state: str = "settled") -> Charge:
    number = int(idea[1]) if idea else 0
    fields = {"id": name, "run": "r", "key": "k", "agent": agent, "idea": idea, "round": number, "model": model}
    return Charge.model_validate({**fields, "tokens": tokens, "state": state, "at": 1.0})


CHARGES = [
    charge("a", "survey", "", CHEAP, Tokens(input=100, output=10, usd=0.25)),
    charge("b", "coder", "r1-01", DEAR, Tokens(input=200, cached=150, output=20, usd=0.5)),
    charge("c", "coder", "r2-01", DEAR, Tokens(input=50, output=5, usd=None)),
    charge("d", "debugger", "r1-01", CHEAP, Tokens(input=1000, output=4000, usd=1.0), "lost"),
]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger.open(f"sqlite:///{tmp_path / 'eidothea.db'}")
    for each in CHARGES:
        made.put_charge(each.model_copy(update={"state": "held", "tokens": Tokens(input=9999, usd=9.0)}))
        made.put_charge(each)
    made.put_charge(CHARGES[0].model_copy(update={"id": "elsewhere", "run": "another"}))
    return made


def test_by_agent(ledger: Ledger) -> None:
    coder, debugger, survey = ledger.spent_by("r", "agent")
    assert coder == Spent(name="coder", sends=2, input=250, cached=150, output=25, usd=0.5, unpriced=1)
    assert debugger == Spent(name="debugger", sends=1, input=1000, output=4000, usd=1.0)
    assert survey == Spent(name="survey", sends=1, input=100, output=10, usd=0.25)


def test_by_idea_round_and_model(ledger: Ledger) -> None:
    ideas = [(s.name, s.sends, s.usd) for s in ledger.spent_by("r", "idea")]
    assert ideas == [("", 1, 0.25), ("r1-01", 2, 1.5), ("r2-01", 1, 0.0)]
    assert [(s.name, s.sends, s.usd) for s in ledger.spent_by("r", "round")] == [
        ("0", 1, 0.25),
        ("1", 2, 1.5),
        ("2", 1, 0.0),
    ]
    assert [(s.name, s.sends, s.unpriced) for s in ledger.spent_by("r", "model")] == [(CHEAP, 2, 0), (DEAR, 2, 1)]


def test_every_part_adds_up_to_the_whole(ledger: Ledger) -> None:
    whole = ledger.spending("r")
    for part in ("agent", "idea", "round", "model"):
        found = ledger.spent_by("r", part)  # type: ignore[arg-type]
        assert sum(s.input + s.output for s in found) == whole.tokens == 5385
        assert sum(s.usd for s in found) == whole.usd == 1.75
        assert sum(s.unpriced for s in found) == whole.unpriced == 1
    assert (whole.lost, whole.calls) == (1, 0)


def test_nothing_spent_is_nothing(ledger: Ledger) -> None:
    assert ledger.spent_by("none", "agent") == []
    none = ledger.spending("none")
    assert (none.tokens, none.usd, none.unpriced, none.lost) == (0, 0.0, 0, 0)


def test_charges_come_back_as_they_were_written(ledger: Ledger) -> None:
    assert sorted(ledger.charges("r"), key=lambda c: c.id) == CHARGES


def test_an_older_ledger_keeps_what_it_had_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'eidothea.db'}"
    _old_ledger(url, {"paid": (700, 0.25), "unpriced": (50, None), "catalogue": (0, 0.0)})
    ledger = Ledger.open(url)
    try:
        found = ledger.spending("r")
        assert (found.tokens, found.usd, found.calls, found.unpriced, found.lost) == (750, 0.25, 3, 1, 0)
        assert [(s.name, s.sends, s.usd) for s in ledger.spent_by("r", "agent")] == [("idea", 2, 0.25)]
        assert {c.state for c in ledger.charges("r")} == {"settled"}
        call = ledger.call("r", "paid", "f")
        assert call is not None
        assert (call.outcome, call.answer) == ("answered", "{}")
    finally:
        ledger.close()


def _old_ledger(url: str, calls: dict[str, tuple[int, float | None]]) -> None:
    """A ledger as the first schema had it, with calls by key that used so many tokens and dollars."""
    config = Config()
    config.set_main_option("script_location", str(Path(eidothea.ledger.__file__).parent / "migrations"))
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for key, (tokens, usd) in calls.items():
            about = {"run": "r", "key": key, "fingerprint": "f", "name": "n", "agent": "idea", "model": "m"}
            value = {**about, "answer": "{}", "tokens": {"input": tokens, "output": 0, "usd": usd}}
            connection.execute(
                sa.text(
                    "INSERT INTO calls (run, key, fingerprint, name, agent, model, tokens, usd, at, value) "
                    "VALUES (:run, :key, :fingerprint, :name, :agent, :model, :tokens, :usd, 1.0, :value)"
                ),
                {**about, "tokens": tokens, "usd": usd, "value": json.dumps(value)},
            )
    engine.dispose()
