"""The baseline's seed noise, measured before anything is claimed about an idea."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eidothea.errors import WrongUse
from eidothea.state.verdict import Noise

ALPHA = 0.05
POWER = 0.8


def noise(scores: Mapping[str, float]) -> Noise:
    """Mean, spread and minimum detectable effect of the baseline's scores, keyed by trial id.

    `sd` has n - 1 in the denominator and is 0 with one score. Raises WrongUse when there is no score.
    """
    if not scores:
        raise WrongUse("the baseline has no graded trial, so its noise is unknown; see why its trials failed")
    values = np.asarray(list(scores.values()), dtype=float)
    sd = float(values.std(ddof=1)) if values.size > 1 and np.ptp(values) > 0 else 0.0
    return Noise(
        n=int(values.size),
        mean=float(values.mean()),
        sd=sd,
        low=float(values.min()),
        high=float(values.max()),
        mde=minimum_detectable_effect(sd, int(values.size)),
        trials=tuple(scores),
    )


def minimum_detectable_effect(sd: float, n: int) -> float | None:
    """The smallest mean gain that a two-sided 5 % paired t-test on `n` seeds finds with power 80 %.

    The spread of the paired differences is unknown before any candidate ran. Assumed is that the candidate
    is as noisy as the baseline and independent of it given the seed, so sd_diff = sqrt(2) * sd; seeds shared
    with the baseline usually make it smaller, so this errs on the large side. Solved for the effect size by
    `statsmodels.stats.power.TTestPower`. None with fewer than two seeds.
    """
    if n < 2:
        return None
    if sd == 0:
        return 0.0
    from statsmodels.stats.power import TTestPower

    d_z = TTestPower().solve_power(nobs=n, alpha=ALPHA, power=POWER, alternative="two-sided")
    return float(d_z) * float(np.sqrt(2)) * sd
