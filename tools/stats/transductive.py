"""Whether a method may have learnt from the hidden inputs while it predicted them."""

from __future__ import annotations

from collections.abc import Sequence

from eidothea.state.trial import TrialResult, Usage

SHARE = 0.2
LEAST_S = 1.0  # less is noise of starting up, and no time to learn much in


def transductive(candidate: Sequence[TrialResult], baseline: Sequence[TrialResult]) -> bool:
    """Whether predicting takes longer than the baseline's by over a fifth of all of the baseline's work, and a second.

    Work is processor and GPU seconds, the mean over graded trials: unlike the time on the clock it does not depend on
    what else the machine does, and unlike a share of the candidate's own time it does not grow because the candidate
    trains less. False where either has no graded trial.
    """
    ours, theirs = [t for t in candidate if t.score is not None], [t for t in baseline if t.score is not None]
    if not ours or not theirs:
        return False
    extra = _mean([_work(t.predict) for t in ours]) - _mean([_work(t.predict) for t in theirs])
    return extra > max(LEAST_S, SHARE * _mean([_work(t.train) + _work(t.predict) for t in theirs]))


def _work(usage: Usage) -> float:
    return usage.cpu_s + usage.gpu_s


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
