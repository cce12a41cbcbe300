"""Compare a candidate with the baseline on the same seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eidothea.errors import WrongUse
from eidothea.state.task import Metric, Stage
from eidothea.state.verdict import Comparison

Scores = Mapping[int, tuple[str, float]]
Gains = NDArray[np.float64]

CONFIDENCE = 0.95
EXACT_UP_TO = 14  # seeds; 2^14 sign patterns take about 50 ms


class _Test(NamedTuple):
    low: float | None = None
    high: float | None = None
    p_t: float | None = None
    p_sign_flip: float | None = None
    d_z: float | None = None


def compare(metric: Metric, stage: Stage, candidate: Scores, baseline: Scores) -> Comparison:
    """Paired differences on the seeds that both sides have; each side maps seed to (trial id, score).

    Gains are positive when the candidate is better, whatever the metric's direction. With one common seed
    there is a mean gain and nothing else. Raises WrongUse when no seed is common.
    """
    seeds = sorted(set(candidate) & set(baseline))
    if not seeds:
        raise WrongUse(f"candidate and baseline have no {stage} seed in common, so they cannot be compared")
    ours = np.asarray([candidate[seed][1] for seed in seeds], dtype=float)
    theirs = np.asarray([baseline[seed][1] for seed in seeds], dtype=float)
    gains = np.asarray([metric.gain(a, b) for a, b in zip(ours, theirs, strict=True)], dtype=float)
    test = _test(gains, float(np.abs([ours, theirs]).max()))
    return Comparison(
        stage=stage,
        n=len(seeds),
        baseline_mean=float(theirs.mean()),
        candidate_mean=float(ours.mean()),
        mean_gain=float(gains.mean()),
        ci_low=test.low,
        ci_high=test.high,
        p_t=test.p_t,
        p_sign_flip=test.p_sign_flip,
        effect_size=test.d_z,
        gains=tuple(float(gain) for gain in gains),
        trials=tuple(side[seed][0] for seed in seeds for side in (candidate, baseline)),
    )


def _test(gains: Gains, magnitude: float) -> _Test:
    if gains.size < 2:
        return _Test()
    # Scores that differ by rounding only have no spread, and a t statistic of them would be noise.
    if np.ptp(gains) <= 1e-12 * max(magnitude, 1e-300):
        return _without_spread(gains)
    from scipy import stats

    test = stats.ttest_1samp(gains, 0.0)
    interval = test.confidence_interval(CONFIDENCE)
    return _Test(
        low=float(interval.low),
        high=float(interval.high),
        p_t=float(test.pvalue),
        p_sign_flip=_sign_flip(gains),
        d_z=float(gains.mean() / gains.std(ddof=1)),
    )


def _without_spread(gains: Gains) -> _Test:
    """Identical gains: a t-test has no noise to compare with, so only the sign-flip argument is left.

    Its p-value 2^(1-n) stands in for the t-test's, and inverting it gives an interval that is the point
    itself from six seeds on and unbounded (None) before.
    """
    mean = float(gains.mean())
    p = 1.0 if mean == 0 else min(1.0, 2.0 ** (1 - gains.size))
    bound = mean if 2.0 ** (1 - gains.size) <= 1 - CONFIDENCE else None
    return _Test(low=bound, high=bound, p_t=p, p_sign_flip=p)


def _sign_flip(gains: Gains) -> float:
    """Two-sided p-value of the mean under flipped signs; exact up to 14 seeds, else 2^14 random patterns."""
    from scipy import stats

    result = stats.permutation_test(
        (gains,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**EXACT_UP_TO,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)
