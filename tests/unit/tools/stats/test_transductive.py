"""When a method is said to have worked on the hidden inputs in predict."""

from __future__ import annotations

import pytest

from eidothea.state.trial import TrialKey, TrialResult, Usage
from eidothea.tools.stats.transductive import transductive


def trial(train: float, predict: float, score: float | None = 0.5, gpu: float = 0.0) -> TrialResult:
    key = TrialKey(idea="x", stage="pilot", seed=0)
    return TrialResult(key=key, score=score, train=Usage(cpu_s=train), predict=Usage(cpu_s=predict, gpu_s=gpu))


BASELINE = [trial(8.0, 2.0), trial(10.0, 2.0)]  # 11 s of work


@pytest.mark.parametrize(
    ("candidate", "found"),
    [
        ([trial(9.0, 2.0)], False),
        ([trial(0.1, 2.5)], False),  # trains nothing, so that predicting is most of what it does
        ([trial(9.0, 4.1)], False),
        ([trial(9.0, 4.3)], True),
        ([trial(9.0, 2.0, gpu=3.0)], True),
        ([trial(9.0, 2.0), trial(9.0, 30.0, score=None)], False),  # only graded trials count
        ([], False),
    ],
)
def test_what_counts_is_the_work_beyond_the_baselines(candidate: list[TrialResult], found: bool) -> None:
    assert transductive(candidate, BASELINE) is found
    assert not transductive(candidate, [])


def test_a_fraction_of_a_second_is_noise() -> None:
    quick = [trial(0.05, 0.05)]
    assert not transductive([trial(0.05, 0.9)], quick)
    assert transductive([trial(0.05, 1.2)], quick)
