from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eidothea.budget import Budget
from eidothea.errors import BudgetSpent, Missing
from eidothea.ledger.store import Ledger
from eidothea.state.answer import Tokens
from eidothea.state.record import Charge, Spending
from eidothea.state.run import RunRequest

FROM = Charge(run="r", key="r1/ideas", agent="idea", round=1, model="openai:some-model")


class Book:
    """A fake ledger: the newest state of every charge, and what was spent before this process began."""

    def __init__(self, before: Spending | None = None) -> None:
        self.before = before or Spending()
        self.charges: dict[str, Charge] = {}

    def put(self, charge: Charge) -> None:
        self.charges[charge.id] = charge

    def spending(self) -> Spending:
        total = sum((c.tokens for c in self.charges.values()), Tokens())
        usd = self.before.usd + (total.usd or 0.0)
        return Spending(hours=self.before.hours, tokens=self.before.tokens + total.total, usd=usd)


def budget(book: Book, add_active: Callable[[float], None] = lambda seconds: None, **limits: Any) -> Budget:
    request = RunRequest.model_validate({"task": "t"} | limits)
    return Budget(request, book.spending, add_active, book.put)


async def send(spent_from: Budget, worst: Tokens, really: Tokens | None, gate: asyncio.Event | None = None) -> None:
    """One send that settles at `really`, or never when that is None."""
    async with spent_from.account(FROM).hold(worst) as hold:
        if gate is not None:
            await gate.wait()
        else:
            await asyncio.sleep(0)
        if really is not None:
            hold.settle(really)


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("limits", "spent", "named"),
    [
        ({"budget_hours": 1.0}, Spending(hours=1.0), "--budget-hours"),
        ({"budget_usd": 0.5}, Spending(usd=0.6), "--budget-usd"),
        ({"budget_tokens": 10}, Spending(tokens=10), "--budget-tokens"),
    ],
)
def test_a_spent_budget_stops_and_says_how_to_go_on(limits: dict[str, float], spent: Spending, named: str) -> None:
    with pytest.raises(BudgetSpent, match=named) as raised:
        budget(Book(spent), **limits).check()
    assert raised.value.exit_code == 3


def test_without_limits_nothing_stops() -> None:
    budget(Book(Spending(hours=1e6, usd=1e6, tokens=10**9))).check()


def test_time_is_counted_once() -> None:
    counted: list[float] = []
    made = budget(Book(), counted.append)
    made.check()
    made.check()
    assert len(counted) == 2
    assert 0 <= sum(counted) < 1


_SENDS = st.lists(
    st.tuples(
        st.integers(0, 4000),  # the worst case in thousandths of a dollar, and in tokens
        st.floats(0, 1),  # the share of it that is really used
        st.integers(0, 9),  # 0: the answer is lost
        st.integers(0, 5),  # how long it is under way
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(sends=_SENDS, usd=st.integers(1, 8000), tokens=st.one_of(st.none(), st.integers(1, 8000)))
def test_sends_side_by_side_never_end_above_a_budget(
    sends: list[tuple[int, float, int, int]], usd: int, tokens: int | None
) -> None:
    book = Book()
    made = budget(book, budget_usd=usd / 1000, budget_tokens=tokens)

    async def one(worst: int, share: float, answered: int, wait: int) -> bool:
        really = Tokens(input=int(worst * share), usd=worst * share / 1000)
        try:
            async with made.account(FROM).hold(Tokens(input=worst, usd=worst / 1000)) as hold:
                _within(book, usd, tokens)
                for _ in range(wait):
                    await asyncio.sleep(0)
                if answered:
                    hold.settle(really)
        except BudgetSpent:
            return False
        return True

    async def every() -> list[bool]:
        return await asyncio.wait_for(asyncio.gather(*(one(*each) for each in sends)), timeout=60)

    went_out = asyncio.run(every())
    _within(book, usd, tokens)
    assert len(book.charges) == sum(went_out)
    assert {charge.state for charge in book.charges.values()} <= {"settled", "lost"}


def _within(book: Book, usd: int, tokens: int | None) -> None:
    """Above by the rounding of sums of floats, and by nothing else."""
    assert book.spending().usd <= usd / 1000 + 1e-9
    assert tokens is None or book.spending().tokens <= tokens


async def test_a_send_waits_until_another_one_frees_what_it_needs() -> None:
    book, gate = Book(), asyncio.Event()
    made = budget(book, budget_usd=1.0)
    first = asyncio.create_task(send(made, Tokens(usd=0.8), Tokens(usd=0.1), gate))
    await settled()
    second = asyncio.create_task(send(made, Tokens(usd=0.8), Tokens(usd=0.2)))
    await settled()
    assert (len(book.charges), second.done()) == (1, False)
    gate.set()
    await asyncio.gather(first, second)
    assert book.spending().usd == pytest.approx(0.3)


async def test_a_send_that_waited_in_vain_ends_the_run() -> None:
    book, gate = Book(), asyncio.Event()
    made = budget(book, budget_usd=1.0)
    first = asyncio.create_task(send(made, Tokens(usd=0.8), Tokens(usd=0.8), gate))
    await settled()
    second = asyncio.create_task(send(made, Tokens(usd=0.8), Tokens(usd=0.2)))
    await settled()
    gate.set()
    await first
    with pytest.raises(BudgetSpent, match=r"up to 0\.8 usd and 0\.2 of the budget of 1 are left.*--budget-usd"):
        await second


async def test_a_cancelled_wait_keeps_nothing_back() -> None:
    book, gate = Book(), asyncio.Event()
    made = budget(book, budget_usd=1.0)
    first = asyncio.create_task(send(made, Tokens(usd=0.8), Tokens(usd=0.1), gate))
    await settled()
    waiting = asyncio.create_task(send(made, Tokens(usd=0.9), Tokens(usd=0.9)))
    await settled()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.set()
    await first
    await send(made, Tokens(usd=0.9), Tokens(usd=0.0))
    assert book.spending().usd == pytest.approx(0.1)


async def test_what_is_kept_back_does_not_stop_others() -> None:
    book, gate = Book(), asyncio.Event()
    made = budget(book, budget_usd=1.0, budget_tokens=100)
    first = asyncio.create_task(send(made, Tokens(input=100, usd=1.0), Tokens(input=10, usd=0.1), gate))
    await settled()
    made.check()
    gate.set()
    await first
    made.check()


async def test_a_send_broken_off_counts_at_its_worst() -> None:
    book, gate = Book(), asyncio.Event()
    made = budget(book, budget_usd=1.0)
    first = asyncio.create_task(send(made, Tokens(usd=0.7), Tokens(usd=0.1), gate))
    await settled()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert [(c.state, c.tokens.usd) for c in book.charges.values()] == [("lost", 0.7)]
    with pytest.raises(BudgetSpent):
        await send(made, Tokens(usd=0.4), Tokens())


async def test_a_ledger_that_refuses_a_write_leaves_nobody_waiting() -> None:
    book, gate = Book(), asyncio.Event()
    made = budget(book, budget_usd=1.0)
    first = asyncio.create_task(send(made, Tokens(usd=0.8), Tokens(usd=0.1), gate))
    await settled()
    second = asyncio.create_task(send(made, Tokens(usd=0.8), Tokens(usd=0.2)))
    await settled()

    def refuse(charge: Charge) -> None:
        raise Missing("the disk is full")

    made._put_charge = refuse
    gate.set()
    with pytest.raises(Missing, match="disk"):
        await first
    with pytest.raises(Missing, match="disk"):
        await second


async def test_a_dollar_budget_needs_a_price() -> None:
    book = Book()
    with pytest.raises(Missing, match=r'no price is known for openai:some-model.*prices\."some-model".*budget-tokens'):
        await send(budget(book, budget_usd=1.0), Tokens(input=5, usd=None), Tokens())
    await send(budget(book, budget_tokens=10), Tokens(input=5, usd=None), Tokens(input=3, usd=None))
    assert [(c.tokens.input, c.tokens.usd) for c in book.charges.values()] == [(3, None)]


async def test_what_was_spent_before_a_resume_counts() -> None:
    made = budget(Book(Spending(usd=0.9, tokens=90)), budget_usd=1.0)
    with pytest.raises(BudgetSpent, match=r"0\.1 of the budget of 1 are left"):
        await send(made, Tokens(usd=0.2), Tokens())
    await send(made, Tokens(usd=0.1), Tokens(usd=0.1))


async def test_a_send_lost_at_a_kill_counts_at_its_worst_after_the_resume(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'eidothea.db'}"
    killed = Ledger.open(url)
    killed.put_charge(FROM.model_copy(update={"id": "a", "tokens": Tokens(usd=0.25), "state": "settled"}))
    killed.put_charge(FROM.model_copy(update={"id": "b", "tokens": Tokens(usd=0.5), "state": "held"}))
    killed.close()
    ledger = Ledger.open(url)
    try:
        assert [charge.id for charge in ledger.lose_charges("r")] == ["b"]
        assert ledger.lose_charges("r") == []
        request = RunRequest(task="t", budget_usd=1.0)
        made = Budget(request, lambda: ledger.spending("r"), lambda seconds: None, ledger.put_charge)
        with pytest.raises(BudgetSpent, match=r"0\.25 of the budget of 1 are left"):
            await send(made, Tokens(usd=0.3), Tokens())
        await send(made, Tokens(usd=0.25), Tokens(input=7, output=2, usd=0.125))
        found = ledger.spending("r")
        assert (found.usd, found.tokens, found.lost) == (0.875, 9, 1)
    finally:
        ledger.close()
