from __future__ import annotations

from types import ModuleType

import pytest
import torch


def spelled(problem: list[int], steps: list[tuple[int, int, int]], chain: ModuleType) -> torch.Tensor:
    tokens = [*problem, chain.EQUALS]
    for operator, operand, result in steps:
        tokens += [operator, operand, result, chain.DELIMITER]
    return torch.tensor([[*tokens, chain.END]])


@pytest.fixture
def right(modchain: ModuleType) -> tuple[list[int], list[tuple[int, int, int]]]:
    """7 + 15 - 5 * 3 * 0, from left to right modulo 19: 3, 17, 13, 0."""
    plus, minus, times = modchain.OPERATORS
    problem = [7, plus, 15, minus, 5, times, 3, times, 0]
    return problem, [(plus, 15, 3), (minus, 5, 17), (times, 3, 13), (times, 0, 0)]


def test_solved_by_hand(modchain: ModuleType, right: tuple[list[int], list[tuple[int, int, int]]]) -> None:
    ids = spelled(*right, modchain)
    assert torch.equal(modchain.solve(ids[:, : modchain.PROMPT]), ids)
    assert modchain.first_errors(ids).tolist() == [-1]
    assert modchain.well_formed(ids).tolist() == [True]


def test_following_a_wrong_result_rightly_is_no_second_error(
    modchain: ModuleType, right: tuple[list[int], list[tuple[int, int, int]]]
) -> None:
    plus, minus, times = modchain.OPERATORS
    problem, _ = right
    ids = spelled(problem, [(plus, 15, 3), (minus, 5, 16), (times, 3, 10), (times, 0, 0)], modchain)
    assert modchain.first_errors(ids).tolist() == [1]
    assert modchain.results(ids)[:, -1].tolist() == [0]  # right by coincidence, yet flawed


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize("place", range(3))
def test_any_change_of_a_step_is_an_error_there(modchain: ModuleType, step: int, place: int) -> None:
    random = torch.Generator().manual_seed(step)
    ids = modchain.solve(modchain.problems(200, random))
    column = modchain.PROMPT + modchain.STEP * step + place
    low, many = (modchain.M, 3) if place == 0 else (0, modchain.M)
    ids[:, column] = (ids[:, column] - low + 1) % many + low
    assert modchain.well_formed(ids).all()
    assert (modchain.first_errors(ids) == step).all()


def test_what_is_malformed(modchain: ModuleType) -> None:
    ids = modchain.solve(modchain.problems(6, torch.Generator().manual_seed(0)))
    ids[1, modchain.PROMPT + 3] = modchain.END
    ids[2, -1] = modchain.DELIMITER
    ids[3, modchain.PROMPT + 2] = modchain.PAD
    ids[4, modchain.PROMPT] = 4
    assert modchain.well_formed(ids).tolist() == [True, False, False, False, False, True]


def test_solutions_agree_with_plain_arithmetic(modchain: ModuleType) -> None:
    prompts = modchain.problems(50, torch.Generator().manual_seed(1))
    sign = dict(zip(modchain.OPERATORS, "+-*", strict=True))
    for row, solution in zip(prompts.tolist(), modchain.solve(prompts), strict=True):
        value = row[0]
        for k in range(modchain.K):
            value = eval(f"({value}) {sign[row[2 * k + 1]]} {row[2 * k + 2]}") % modchain.M
            assert modchain.results(solution[None])[0, k].item() == value
