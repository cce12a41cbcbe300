"""Budgets that hold: hours, dollars and tokens, counted over all the sessions of a run."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from eidothea.errors import BudgetSpent, Missing
from eidothea.state.answer import Tokens
from eidothea.state.record import Charge, Spending
from eidothea.state.run import RunRequest


class Budget:
    """Says when a run must stop.

    `spending` reads what the ledger has counted; `add_active` adds working time to it; `put_charge` writes one send.
    Time is added at every check, so that a killed process loses no more of the count than one trial. One process at
    a time works on a run, so what is held is known here without asking the ledger.
    """

    def __init__(
        self,
        request: RunRequest,
        spending: Callable[[], Spending],
        add_active: Callable[[float], None],
        put_charge: Callable[[Charge], None] = lambda charge: None,
    ) -> None:
        self.limits = {
            "hours": request.budget_hours,
            "usd": request.budget_usd,
            "tokens": request.budget_tokens,
        }
        self._spending = spending
        self._add_active = add_active
        self._put_charge = put_charge
        self._counted_until = time.monotonic()
        self._spent: Tokens | None = None
        self._held: list[Tokens] = []
        self._freed = asyncio.Condition()

    def count_time(self) -> None:
        """Add the time since the last count to the run's working time."""
        now = time.monotonic()
        self._add_active(now - self._counted_until)
        self._counted_until = now

    def check(self) -> None:
        """Raise BudgetSpent when any budget is used up; called before anything that costs.

        What is kept back for sends under way is not used up yet: most of it comes free again.
        """
        self.count_time()
        spent, held = self._spending(), sum(self._held, Tokens())
        free = {"usd": held.usd or 0.0, "tokens": held.total}
        for name, limit in self.limits.items():
            used = getattr(spent, name) - free.get(name, 0)
            if limit is not None and used >= limit:
                raise BudgetSpent(
                    f"the budget of {limit:g} {name} is spent ({used:.4g} used); "
                    f"resume with a larger --budget-{name} to go on"
                )

    def account(self, charge: Charge) -> RunAccount:
        """An account whose sends are charged as `charge` says."""
        return RunAccount(self, charge)

    @asynccontextmanager
    async def holding(self, charge: Charge) -> AsyncIterator[RunHold]:
        """Keep back the charge's tokens until it is settled; raises as `Account.hold` does."""
        worst = charge.tokens
        async with self._freed:
            await self._until_it_fits(worst, charge.model)
            self._held.append(worst)
        hold = RunHold()
        try:
            self._put_charge(charge)
            yield hold
        finally:
            spent = hold.spent if hold.spent is not None else worst
            self._held.remove(worst)
            self._spent = self._so_far() + spent.model_copy(update={"usd": spent.usd or 0.0})
            state = "lost" if hold.spent is None else "settled"
            try:
                self._put_charge(charge.model_copy(update={"tokens": spent, "state": state}))
            finally:  # whoever waits must hear of it, also where the ledger refuses the write
                async with self._freed:
                    self._freed.notify_all()

    async def _until_it_fits(self, worst: Tokens, model: str) -> None:
        if worst.usd is None and self.limits["usd"] is not None:
            raise Missing(no_price(model))
        while (short := self._short(worst)) is not None:
            if not self._held:
                raise BudgetSpent(short)
            await self._freed.wait()

    def _short(self, worst: Tokens) -> str | None:
        """Why the budget cannot bear another send, or None."""
        spent = self._so_far()
        held = sum(self._held, Tokens())
        for name, used, more in (
            ("usd", (spent.usd or 0.0) + (held.usd or 0.0), worst.usd or 0.0),
            ("tokens", spent.total + held.total, worst.total),
        ):
            limit = self.limits[name]
            if limit is not None and used + more > limit:
                return (
                    f"the next model call may use up to {more:.4g} {name} and {max(0, limit - used):.4g} of the "
                    f"budget of {limit:g} are left; resume with a larger --budget-{name} to go on"
                )
        return None

    def _so_far(self) -> Tokens:
        if self._spent is None:
            spending = self._spending()
            self._spent = Tokens(input=spending.tokens, usd=spending.usd)
        return self._spent


def no_price(model: str) -> str:
    """What is wrong, and how to mend it, when a budget is in dollars and a model's price is unknown."""
    return (
        f"no price is known for {model}, so a budget in dollars cannot hold; give it one in eidothea.toml "
        f'([prices."{model.partition(":")[2]}"] with input and output, in dollars per million tokens), '
        "or limit tokens with --budget-tokens"
    )


class RunHold:
    """What one send really used, once it is known."""

    spent: Tokens | None = None

    def settle(self, spent: Tokens) -> None:
        self.spent = spent


class RunAccount:
    """The account of one request within a run."""

    def __init__(self, budget: Budget, charge: Charge) -> None:
        self._budget, self._charge = budget, charge

    @asynccontextmanager
    async def hold(self, worst: Tokens) -> AsyncIterator[RunHold]:
        charge = self._charge.model_copy(update={"id": uuid.uuid4().hex, "tokens": worst, "at": time.time()})
        async with self._budget.holding(charge) as hold:
            yield hold
