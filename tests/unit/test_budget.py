from __future__ import annotations

import pytest

from eidothea.budget import Budget
from eidothea.errors import BudgetSpent
from eidothea.state.record import Spending
from eidothea.state.run import RunRequest


@pytest.mark.parametrize(
    ("limits", "spent", "named"),
    [
        ({"budget_hours": 1.0}, Spending(hours=1.0), "--budget-hours"),
        ({"budget_usd": 0.5}, Spending(usd=0.6), "--budget-usd"),
        ({"budget_tokens": 10}, Spending(tokens=10), "--budget-tokens"),
    ],
)
def test_a_spent_budget_stops_and_says_how_to_go_on(limits: dict[str, float], spent: Spending, named: str) -> None:
    request = RunRequest.model_validate({"task": "t"} | limits)
    with pytest.raises(BudgetSpent, match=named) as raised:
        Budget(request, lambda: spent, lambda seconds: None).check()
    assert raised.value.exit_code == 3


def test_without_limits_nothing_stops() -> None:
    Budget(RunRequest(task="t"), lambda: Spending(hours=1e6, usd=1e6, tokens=10**9), lambda seconds: None).check()


def test_time_is_counted_once() -> None:
    counted: list[float] = []
    budget = Budget(RunRequest(task="t"), Spending, counted.append)
    budget.check()
    budget.check()
    assert len(counted) == 2
    assert 0 <= sum(counted) < 1
