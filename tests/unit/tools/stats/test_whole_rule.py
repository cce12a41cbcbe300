"""The gates, the confirmation and the error-rate control together, on simulated runs."""

from __future__ import annotations

import numpy as np
import pytest

from eidothea.state.task import Metric, Stage
from eidothea.state.verdict import Comparison
from eidothea.tools.stats.fdr import claim_p, levels
from eidothea.tools.stats.gates import looks_improved, pilot_declines
from eidothea.tools.stats.noise import noise
from eidothea.tools.stats.paired import Scores, compare
from eidothea.tools.stats.verdict import Evidence, judge

pytestmark = pytest.mark.slow

F1 = Metric(name="f1")
REPLICATE, CONFIRM = range(5), range(100, 108)
SD = 0.05


def trials(rng: np.random.Generator, seeds: range, effect: float) -> Scores:
    return {seed: (f"t{seed}", 0.5 + effect + SD * float(rng.standard_normal())) for seed in seeds}


def kinds(rng: np.random.Generator, ideas: int, effect_in_mdes: float) -> list[str]:
    """The verdicts of one run whose ideas all have the same effect, decided as a run decides them."""
    baseline: dict[Stage, Scores] = {"replicate": trials(rng, REPLICATE, 0), "confirm": trials(rng, CONFIRM, 0)}
    measured = noise(dict(baseline["replicate"].values()))
    expected = noise({str(n): 0.5 + SD * x for n, x in enumerate((-1.26, -0.63, 0, 0.63, 1.26))})  # spread SD
    assert expected.mde is not None
    verdicts, p_values = [], []
    for _ in range(ideas):
        replicate = trials(rng, REPLICATE, effect_in_mdes * expected.mde)
        stop = pilot_declines(replicate[0][1], measured, F1)
        found = compare(F1, "replicate", replicate, baseline["replicate"])
        confirm: Comparison | None = None
        level = None
        if not stop and looks_improved(found):
            confirm = compare(F1, "confirm", trials(rng, CONFIRM, effect_in_mdes * expected.mde), baseline["confirm"])
            p = claim_p(confirm)
            assert p is not None
            p_values.append(p)
            level = levels(p_values)[-1].level
        evidence = Evidence(pilot_stop=stop, replicate=None if stop else found, confirm=confirm, level=level)
        verdicts.append(judge("i", F1, evidence).kind)
    return verdicts


def test_runs_of_ideas_without_effect_claim_something_in_at_most_5_percent() -> None:
    rng = np.random.default_rng(11)
    wrong = sum("improve" in kinds(rng, ideas=6, effect_in_mdes=0) for _ in range(1000))
    share = wrong / 1000
    assert share <= 0.05
    assert share + 1.645 * np.sqrt(share * (1 - share) / 1000) <= 0.065


@pytest.mark.parametrize(("mdes", "power"), [(1, 0.6), (2, 0.9), (3, 0.99)])
def test_planted_effects_are_found(mdes: int, power: float) -> None:
    rng = np.random.default_rng(12)
    found = [kind == "improve" for _ in range(150) for kind in kinds(rng, ideas=3, effect_in_mdes=mdes)]
    assert np.mean(found) >= power
