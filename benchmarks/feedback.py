"""Does feedback matter? The loop's own proposals with lessons, against the same code with the lessons withheld.

    python benchmarks/feedback.py benchmarks/surfaces/prm-chain.jsonl

Both sides ask the catalogue for ideas through the same typed requests, in rounds, with the same seeds and the same
knowledge of what was proposed already; only the control's `lessons` are empty (`--control random`). Trials are not
run but looked up in a recording of real ones (`record_surface.py`): **a composition that was not recorded gets what a
forest of extremely randomised trees, fitted to the recorded ones, predicts for it**; how well it predicts recorded
compositions that it was not shown is printed as R2. Recorded ones get their recorded mean. What a side is told is that
plus noise as large as between the recorded seeds, averaged as in a run: one pilot seed, and the task's replicate seeds
unless the pilot stops the idea. What counts is the mean itself of the idea that looked best so far,
never below the baseline. Printed is the ratio of the areas under that curve, with a 95 % bootstrap interval over
repetitions.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eidothea.models._catalogue.space import MOST_MOVES, Space
from eidothea.models.catalogue import Catalogue
from eidothea.state.base import derived_seed
from eidothea.state.idea import Idea
from eidothea.state.move import ChoiceParam, FloatParam, MoveUse, Setting
from eidothea.state.request import Proposals, ProposeContext, Request
from eidothea.state.task import Metric
from eidothea.state.verdict import Lesson, Noise
from eidothea.tools.tasks import Task, load

if TYPE_CHECKING:
    from optuna import Trial

Uses = tuple[MoveUse, ...]
Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """What a trial tells: the observed gain (None when it failed) and the mean gain behind it."""

    gain: float | None
    mean: float


class Surface:
    """A recording as a function of compositions; gains are over the baseline on the same seed, positive is better."""

    def __init__(self, file: Path, space: Space, replicates: int = 3) -> None:
        self.replicates = replicates
        head, *rows = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
        self.task, self.scale = head["task"], head["scale"]
        metric = Metric.model_validate(head["metric"])
        groups: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            groups.setdefault(row["number"], []).append(row)
        reference = {row["seed"]: row["score"] for row in groups.pop(0)}
        baseline = np.array(list(reference.values()))
        self.noise = Noise(
            n=len(baseline),
            mean=float(baseline.mean()),
            sd=float(baseline.std(ddof=1)),
            low=float(baseline.min()),
            high=float(baseline.max()),
        )
        self.space = space
        points, gains = [space.features(())], [baseline - baseline.mean()]
        for group in groups.values():
            uses = tuple(MoveUse.model_validate(use) for use in group[0]["moves"])
            points.append(space.features(uses))
            failed = any(row["score"] is None for row in group)
            paired = [] if failed else [metric.gain(row["score"], reference[row["seed"]]) for row in group]
            gains.append(np.array(paired))
        self._points, self._gains = np.array(points), gains
        self._fit()

    def __len__(self) -> int:
        return len(self._gains)

    def best(self) -> float:
        """The largest recorded mean gain: what a search could at most find on the recorded points."""
        return max(float(gains.mean()) for gains in self._gains if len(gains))

    def trial(self, uses: Uses, rng: np.random.Generator) -> Told:
        point = self.space.features(uses)
        nearest = int(np.argmin(np.abs(self._points - point).sum(axis=1)))
        if not len(self._gains[nearest]):
            return Told(None, 0.0)
        mean = self._predicted(tuple(point))
        pilot, *others = mean + rng.normal(0, self._seed_sd, self.replicates)
        stopped = self.noise.mean + pilot < self.noise.low - self.noise.sd
        return Told(float(pilot if stopped else np.mean([pilot, *others])), mean)

    def _fit(self) -> None:
        """Fit the regressor; its settings are scikit-learn's, and its worth is what cross-validation says."""
        from sklearn.ensemble import ExtraTreesRegressor
        from sklearn.model_selection import KFold, cross_val_predict

        ran = [at for at, gains in enumerate(self._gains) if len(gains)]
        x, y = self._points[ran], np.array([self._gains[at].mean() for at in ran])
        forest = ExtraTreesRegressor(300, random_state=0)
        folds = KFold(min(10, len(y)), shuffle=True, random_state=0)
        missed = y - cross_val_predict(forest, x, y, cv=folds)
        self.r2 = 1 - float((missed**2).sum() / ((y - y.mean()) ** 2).sum())
        self._forest = forest.fit(x, y)
        paired = [gains - gains.mean() for gains in self._gains if len(gains) > 1]
        freedom = sum(len(gains) - 1 for gains in paired)
        self._seed_sd = float(np.sqrt(sum(float((gains**2).sum()) for gains in paired) / max(freedom, 1)))

    @functools.cache  # noqa: B019 - one surface a process
    def _predicted(self, point: tuple[float, ...]) -> float:
        return float(self._forest.predict([point])[0])


Chooser = Callable[[int, int, list[tuple[Uses, Told]]], list[Uses]]  # seed, round, history -> the round's ideas


def catalogue(task: Task, surface: Surface, ideas: int, *, lessons: bool) -> Chooser:
    """The loop's own proposals, as the idea agent asks for them."""
    model = Catalogue()

    def choose(seed: int, number: int, history: list[tuple[Uses, Told]]) -> list[Uses]:
        taken = tuple(_idea(f"r{i}", uses) for i, (uses, _) in enumerate(history))
        told = tuple(_lesson(f"r{i}", uses, told, surface.noise) for i, (uses, told) in enumerate(history))
        context = ProposeContext(
            task=task.spec,
            readme="",
            baseline={},
            papers=(),
            lessons=told if lessons else (),
            taken=taken,
            noise=surface.noise,
            moves=task.moves,
            n=ideas,
        )
        request = Request("propose_ideas", "", context, Proposals, derived_seed(seed, number))
        return [idea.moves for idea in asyncio.run(model.answer(request)).value.ideas]

    return choose


def sampler(surface: Surface, ideas: int, name: str) -> Chooser:
    """An Optuna sampler by ask and tell over the same moves, for comparison."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space, studies = surface.space, dict[int, optuna.Study]()

    def make(seed: int) -> optuna.Study:
        samplers: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
            "tpe": lambda: optuna.samplers.TPESampler(multivariate=True, group=True, n_startup_trials=6, seed=seed),
        }
        return optuna.create_study(direction="maximize", sampler=samplers[name]())

    def choose(seed: int, number: int, history: list[tuple[Uses, Told]]) -> list[Uses]:
        if number == 0:
            studies[seed] = make(seed)
        study = studies[seed]
        waiting = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.RUNNING]
        for trial, (_, told) in zip(waiting, history[-len(waiting) :] if waiting else [], strict=True):
            study.tell(trial.number, told.gain if told.gain is not None else min([0.0, *_gains(history)]))
        chosen: list[Uses] = []
        for _ in range(200):
            if len(chosen) == ideas:
                break
            asked = study.ask()
            uses = _suggested(asked, space)
            if space.fits([use.move for use in uses]):
                chosen.append(uses)
            else:
                study.tell(asked, state=optuna.trial.TrialState.FAIL)
        return chosen

    return choose


def _suggested(trial: Trial, space: Space) -> Uses:
    """At most three moves, in slots; only the settings of moves that are on are asked for."""
    names = [trial.suggest_categorical(f"move {slot}", ["-", *space.moves]) for slot in range(MOST_MOVES)]
    uses = []
    for name in (name for name in space.moves if name in names):
        settings: dict[str, Setting] = {}
        for key, param in space.moves[name].params.items():
            label = f"{name}.{key}"
            if isinstance(param, ChoiceParam):
                settings[key] = param.options[trial.suggest_categorical(label, range(len(param.options)))]
            elif isinstance(param, FloatParam):
                settings[key] = trial.suggest_float(label, param.low, param.high, log=param.log)
            else:
                settings[key] = trial.suggest_int(label, param.low, param.high, log=param.log)
        uses.append(MoveUse(move=name, settings=settings))
    return tuple(uses)


def _gains(history: list[tuple[Uses, Told]]) -> list[float]:
    return [told.gain for _, told in history if told.gain is not None]


def _idea(name: str, uses: Uses) -> Idea:
    hypothesis = {
        "claim": name,
        "mechanism": "",
        "prediction": {"metric": "-", "direction": "increase", "min_effect": 0, "confidence": 0.5},
        "falsifier": "",
    }
    return Idea.model_validate(
        {"id": name, "round": 0, "title": name, "hypothesis": hypothesis, "method": "", "moves": uses}
    )


def _lesson(name: str, uses: Uses, told: Told, noise: Noise) -> Lesson:
    if told.gain is None:
        return Lesson(idea=name, title=name, verdict="failed", moves=uses)
    verdict = "improve" if told.gain > 2 * noise.sd else "decline" if told.gain < -2 * noise.sd else "maintain"
    return Lesson.model_validate({"idea": name, "title": name, "verdict": verdict, "gain": told.gain, "moves": uses})


def curve(choose: Chooser, surface: Surface, trials: int, seed: int) -> Curve:
    """Mean gain of the idea that looked best after 1, 2, … trials; 0 while nothing looks better than the baseline."""
    rng = np.random.default_rng(derived_seed("trials", seed))
    history: list[tuple[Uses, Told]] = []
    number = 0
    while len(history) < trials:
        new = choose(seed, number, history)
        history += [(uses, surface.trial(uses, rng)) for uses in new]
        number += 1
        if not new:
            raise SystemExit("the space of moves is exhausted before the budget is; ask for fewer trials")
    looks, holds, values = 0.0, 0.0, []
    for _, told in history[:trials]:
        if told.gain is not None and told.gain > looks:
            looks, holds = told.gain, told.mean
        values.append(max(0.0, holds))
    return np.array(values)


def ratio(loop: Sequence[Curve], control: Sequence[Curve], draws: int = 10_000) -> tuple[float, float, float]:
    """Area under the loop's curves over the control's, with a 95 % percentile interval; repetitions are paired."""
    a, b = np.array([c.sum() for c in loop]), np.array([c.sum() for c in control])
    picks = np.random.default_rng(0).integers(len(a), size=(draws, len(a)))
    low, high = np.quantile(a[picks].sum(1) / np.maximum(b[picks].sum(1), 1e-12), [0.025, 0.975])
    return float(a.sum() / b.sum()), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("surface", type=Path)
    parser.add_argument("--task", help="folder or id of the task; the recording's by default")
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--ideas", type=int, default=3, help="per round")
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--compare", action="store_true", help="also run Optuna's TPE sampler")
    args = parser.parse_args()
    named = json.loads(args.surface.read_text(encoding="utf-8").partition("\n")[0])
    task = load(args.task or named["task"]).at_scale(named["scale"])
    surface = Surface(args.surface, Space(task.moves), len(task.spec.seeds.replicate))
    print(f"{len(surface)} recorded compositions of {task.spec.id}; best recorded gain {surface.best():+.4f}")
    print(f"the forest predicts compositions it was not shown with R2 {surface.r2:.2f}")
    print(f"baseline {surface.noise.mean:.4f} ± {surface.noise.sd:.4f} over {surface.noise.n} seeds")
    sides = {"random": catalogue(task, surface, args.ideas, lessons=False)}
    sides["loop"] = catalogue(task, surface, args.ideas, lessons=True)
    if args.compare:
        sides |= {name: sampler(surface, args.ideas, name) for name in ("tpe",)}
    shown = sorted({min(args.trials, n) for n in (3, 6, 9, 12, 18, 24, args.trials)})
    print("mean gain of the best so far after trials " + ", ".join(map(str, shown)))
    curves: dict[str, list[Curve]] = {}
    for side, choose in sides.items():
        curves[side] = [curve(choose, surface, args.trials, seed) for seed in range(args.repetitions)]
        mean = np.mean(curves[side], axis=0)
        print(f"  {side:6} " + "  ".join(f"{mean[n - 1]:.4f}" for n in shown), flush=True)
    for side in (side for side in sides if side != "random"):
        middle, low, high = ratio(curves[side], curves["random"])
        print(f"area {side} / random: {middle:.2f} (95 % {low:.2f} to {high:.2f}), {args.repetitions} repetitions")


if __name__ == "__main__":
    main()
