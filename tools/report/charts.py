"""Geometry of the report's two charts, in SVG user units; the templates draw it."""

from __future__ import annotations

import math
from statistics import quantiles
from typing import NamedTuple

from eidothea.tools.report.model import ComparisonPart, IdeaPart, Report, TrialPart
from eidothea.tools.text import number, one_line

WIDTH = 760.0
BEST_HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 300.0, 56.0, 120.0, 26.0, 40.0
ROW, NAMES, VERDICTS, EFFECTS_TOP = 26.0, 270.0, 90.0, 14.0


class Tick(NamedTuple):
    at: float
    label: str


class Dot(NamedTuple):
    x: float
    y: float
    title: str
    style: str


class Label(NamedTuple):
    y: float
    text: str
    style: str


class BestChart(NamedTuple):
    """Best so far over the trials of the test split; `rivals` are the levels of reference scorers."""

    height: float
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    rounds: list[Tick]
    band: tuple[float, float]
    baseline: float
    rivals: list[Tick]
    dots: list[Dot]
    line: str
    labels: list[Label]


class Bar(NamedTuple):
    """One idea's gain with its interval; `x` is None where nothing was measured.

    `beyond` is -1 or 1 when the gain lies left or right of the chart.
    """

    y: float
    name: str
    title: str
    verdict: str
    x: float | None
    low: float | None
    high: float | None
    confirmed: bool
    beyond: int


class EffectsChart(NamedTuple):
    height: float
    zero: float
    band: tuple[float, float] | None
    ticks: list[Tick]
    bars: list[Bar]


def best_chart(report: Report) -> BestChart | None:
    """None before the baseline is measured."""
    if report.baseline is None or not report.best_so_far:
        return None
    shown = [t for t in report.trials if t.stage != "confirm"]
    rivals = [(r.name, (r.best or r.baseline)) for r in report.references if r.rival]
    base, top = report.baseline, report.best_so_far[-1].score.value
    must = [base.low.value, base.high.value, top, *(m.value for _, m in rivals if m)]
    y = _Scale([t.score for t in shown if t.score is not None], must, BEST_HEIGHT - BOTTOM, TOP)
    x = _Linear(0, max(len(shown), 1), LEFT, WIDTH - RIGHT)
    levels = [Tick(y(m.value), name) for name, m in rivals if m]
    labels = [Label(y(base.mean.value), "baseline", "muted"), Label(y(top), "best so far", "best")]
    return BestChart(
        height=BEST_HEIGHT,
        x_ticks=[Tick(x(v), f"{v:g}") for v in _nice(0, len(shown), 6) if v == int(v) and v <= len(shown)],
        y_ticks=[Tick(y(v), _tick_label(v, y.step)) for v in y.ticks],
        rounds=_rounds(report, x),
        band=(y(base.high.value), y(base.low.value)),
        baseline=y(base.mean.value),
        rivals=levels,
        dots=[_dot(t, x(place), y) for place, t in enumerate(shown, 1) if t.score is not None],
        line=_steps(report, x, y, len(shown)),
        labels=_apart(labels + [Label(level.at, one_line(level.label, 18), "muted") for level in levels]),
    )


def _dot(trial: TrialPart, x: float, y: _Scale) -> Dot:
    score = trial.score or 0.0
    style = "off" if y.beyond(score) else "base-dot" if trial.idea == "baseline" else "dot"
    return Dot(x, y(score), f"{trial.id}: {number(score)}", style)


def effects_chart(report: Report) -> EffectsChart | None:
    """None when no idea was judged."""
    judged = [idea for idea in report.ideas if idea.verdict]
    if not judged:
        return None
    mde = report.baseline.mde.value if report.baseline and report.baseline.mde else None
    found = [n for n in map(_numbers, judged) if n]
    spread = [m.value for n in found for m in (n.gain, n.ci_low, n.ci_high) if m is not None]
    x = _Scale(spread, [0.0], NAMES, WIDTH - VERDICTS)
    bars = [_bar(idea, EFFECTS_TOP + ROW * (place + 0.5), x) for place, idea in enumerate(judged)]
    return EffectsChart(
        height=EFFECTS_TOP + ROW * len(judged) + BOTTOM,
        zero=x(0.0),
        band=(x(-mde), x(mde)) if mde is not None else None,  # cut at the chart's ends when it is wider
        ticks=[Tick(x(v), _tick_label(v, x.step, sign=True)) for v in x.ticks],
        bars=bars,
    )


def _numbers(idea: IdeaPart) -> ComparisonPart | None:
    return idea.verdict.numbers if idea.verdict else None


def _bar(idea: IdeaPart, y: float, x: _Scale) -> Bar:
    numbers, kind = _numbers(idea), idea.verdict.kind if idea.verdict else ""
    title = one_line(idea.title, 34)
    if numbers is None:
        return Bar(y, idea.id, title, kind, None, None, None, False, 0)
    low, high = (None if m is None else x(m.value) for m in (numbers.ci_low, numbers.ci_high))
    gain = numbers.gain.value
    return Bar(y, idea.id, title, kind, x(gain), low, high, numbers.stage == "confirm", x.beyond(gain))


def _rounds(report: Report, x: _Linear) -> list[Tick]:
    """Where each round's first trial stands."""
    round_of = {idea.id: idea.round for idea in report.ideas}
    seen: dict[int, int] = {}
    for place, trial in enumerate((t for t in report.trials if t.stage != "confirm"), 1):
        if trial.idea in round_of:
            seen.setdefault(round_of[trial.idea], place)
    return [Tick(x(place - 0.5), f"round {number}") for number, place in seen.items()]


def _steps(report: Report, x: _Linear, y: _Scale, last: int) -> str:
    points = report.best_so_far
    path = [f"M{x(points[0].trial):.1f} {y(points[0].score.value):.1f}"]
    path += [f"H{x(p.trial):.1f}V{y(p.score.value):.1f}" for p in points[1:]]
    return "".join([*path, f"H{x(last):.1f}"])


def _apart(labels: list[Label], least: float = 14.0) -> list[Label]:
    """Move labels that would lie on each other, down first and then up from the chart's end."""
    placed: list[Label] = []
    for label in sorted(labels, key=lambda item: item.y):
        placed.append(label._replace(y=max(label.y, placed[-1].y + least) if placed else label.y))
    limit = BEST_HEIGHT - BOTTOM + 4
    for place in range(len(placed) - 1, -1, -1):
        placed[place] = placed[place]._replace(y=round(min(placed[place].y, limit), 1))
        limit = placed[place].y - least
    return placed


class _Linear:
    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.span, self.start, self.length = low, (high - low) or 1.0, start, end - start

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) / self.span * self.length, 1)


class _Scale(_Linear):
    """A linear scale whose ends and ticks are round numbers.

    It holds all of `must`; of `values` those within Tukey's outer fences, or one diverged trial would flatten the
    rest. What lies beyond is drawn at the end, and marked.
    """

    def __init__(self, values: list[float], must: list[float], start: float, end: float) -> None:
        held = [*must, *_within_fences(values)]
        self.ticks = _nice(min(held), max(held), 5)
        self.step = self.ticks[1] - self.ticks[0]
        super().__init__(self.ticks[0], self.ticks[-1], start, end)

    def beyond(self, value: float) -> int:
        return (value > self.ticks[-1]) - (value < self.ticks[0])

    def __call__(self, value: float) -> float:
        return super().__call__(min(max(value, self.ticks[0]), self.ticks[-1]))


def _within_fences(values: list[float]) -> list[float]:
    if len(values) < 4:
        return values
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    reach = 3 * (upper - lower)
    return [v for v in values if lower - reach <= v <= upper + reach]


def _nice(low: float, high: float, about: int) -> list[float]:
    """Round numbers from at most `low` to at least `high`, about so many (steps of 1, 2 or 5 times a power of ten)."""
    if high <= low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def _tick_label(value: float, step: float, sign: bool = False) -> str:
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{value:{'+' if sign else ''}.{decimals}f}" if decimals <= 6 else f"{value:.2g}"
    return text if value else "0"
