"""What a run spent, part by part, and how it is said: an unknown price is never a silent zero."""

from __future__ import annotations

import re
from typing import Literal, get_args

from eidothea.ledger.reader import Reader
from eidothea.state.record import Spent

Part = Literal["agent", "idea", "round", "model"]
PARTS: tuple[Part, ...] = get_args(Part)
UNKNOWN = "price unknown"


def by_part(ledger: Reader, run: str) -> dict[Part, tuple[Spent, ...]]:
    """What each agent, idea, round and model used; r1-100 comes after r1-99. Empty when nothing was sent."""
    found = {part: tuple(ledger.spent_by(run, part)) for part in PARTS}
    for part in ("idea", "round"):
        found[part] = tuple(sorted(found[part], key=lambda s: [int(n) for n in re.findall(r"\d+", s.name)]))
    return found if found["agent"] else {}


def named(part: Part, name: str) -> str:
    """How a row is called: what is about no idea or no round has a name too."""
    if part == "idea":
        return f"idea {name}" if name else "no single idea"
    if part == "round":
        return f"round {name}" if name not in ("", "0") else "before round 1"
    return f"{part} {name or 'unknown'}"


def dollars(usd: float, sends: int, unpriced: int) -> str:
    """Dollars as far as they are known; small sums keep two digits that say something."""
    if sends and unpriced == sends:
        return UNKNOWN
    known = f"${usd:.2f}" if usd == 0 or usd >= 0.01 else f"${usd:.2g}"
    return f"{known} + {unpriced} unpriced" if unpriced else known


def total(usd: float, sends: int, unpriced: int, limit: float | None) -> str:
    """The sum of a run with its limit; what it leaves out is in `remarks`."""
    known = dollars(usd, sends, unpriced if unpriced == sends else 0)
    return known if limit is None else f"{known} of {limit:g}"


def remarks(sends: int, unpriced: int, lost: int) -> list[str]:
    """What has to be known to read the sums right."""
    found = []
    if unpriced:
        rest = "" if unpriced == sends else ": dollars count only the rest"
        found.append(f"no price known for {_sends(unpriced)}{rest}")
    if lost:
        found.append(f"{_sends(lost)} broken off, counted at the worst case")
    return found


def _sends(n: int) -> str:
    return f"{n} send{'s' if n != 1 else ''}"
