"""Budgets that hold: hours, dollars and tokens, counted over all the sessions of a run."""

from __future__ import annotations

import time
from collections.abc import Callable

from eidothea.errors import BudgetSpent
from eidothea.state.record import Spending
from eidothea.state.run import RunRequest


class Budget:
    """Says when a run must stop.

    `spending` reads what the ledger has counted; `add_active` adds working time to it. Time is added at every
    check, so that a killed process loses no more of the count than one trial.
    """

    def __init__(
        self, request: RunRequest, spending: Callable[[], Spending], add_active: Callable[[float], None]
    ) -> None:
        self.limits = {
            "hours": request.budget_hours,
            "usd": request.budget_usd,
            "tokens": request.budget_tokens,
        }
        self._spending = spending
        self._add_active = add_active
        self._counted_until = time.monotonic()

    def count_time(self) -> None:
        """Add the time since the last count to the run's working time."""
        now = time.monotonic()
        self._add_active(now - self._counted_until)
        self._counted_until = now

    def check(self) -> None:
        """Raise BudgetSpent when any budget is used up; called before anything that costs."""
        self.count_time()
        spent = self._spending()
        for name, limit in self.limits.items():
            used = getattr(spent, name)
            if limit is not None and used >= limit:
                raise BudgetSpent(
                    f"the budget of {limit:g} {name} is spent ({used:.4g} used); "
                    f"resume with a larger --budget-{name} to go on"
                )
