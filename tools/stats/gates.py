"""Gates between stages: they decide what is worth more trials, and never make a claim."""

from __future__ import annotations

from eidothea.state.task import Metric
from eidothea.state.verdict import Comparison, Noise

LOOKS_IMPROVED_P = 0.1  # one-sided


def pilot_declines(score: float, noise: Noise, metric: Metric) -> str | None:
    """Why a pilot score ends the idea, or None: it is below the baseline's worst seed by more than its spread.

    The spread is the baseline's standard deviation. With one baseline seed it is unknown and nothing stops.
    With normal noise an idea equal to the baseline is stopped in 6 % of cases at five baseline seeds and in
    12 % at three; one that is better by one standard deviation in 1 % and 3 %.
    """
    if noise.n < 2:
        return None
    worst = noise.low if metric.direction == "max" else noise.high
    shortfall = metric.gain(worst, score)
    if shortfall <= noise.sd:
        return None
    return (
        f"pilot {metric.name} {score:.4g} is worse than the baseline's worst seed ({worst:.4g}) by "
        f"{shortfall:.2g}, more than the spread of {noise.sd:.2g}"
    )


def looks_improved(comparison: Comparison) -> bool:
    """Whether replicate results are worth confirm trials: a positive mean gain with one-sided p at most 0.1.

    Lenient, because the claim rests on fresh seeds alone: a gain of one minimum detectable effect passes with
    probability 0.98 at five seeds (0.94 in the limit of many), while nine of ten ideas that change nothing
    save their confirm trials. With one seed, or seeds without spread too few to say, the sign decides.
    """
    if comparison.mean_gain <= 0:
        return False
    if comparison.p_t is None or comparison.effect_size is None:
        return True
    return comparison.p_t / 2 <= LOOKS_IMPROVED_P


def declines(comparison: Comparison) -> bool:
    """Whether the 95 % interval of the gain lies wholly below zero."""
    return comparison.ci_high is not None and comparison.ci_high < 0
