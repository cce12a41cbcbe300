"""Which model serves which agent: `catalogue`, `openai:NAME@URL`, or `idea=openai:A,coder=catalogue`.

A model from outside is named by its dotted path: `package.module.Class:ARGUMENT`.
"""

from __future__ import annotations

import re

from eidothea.errors import WrongUse
from eidothea.plugins import load, names

ROLES = ("survey", "idea", "coder", "debugger", "analyst")
DEFAULT = ("catalogue", "")
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def parse(text: str) -> dict[str, tuple[str, str]]:
    """Per role the model's kind and its argument; a role that is not named gets the unnamed model, or the catalogue.

    Raises WrongUse for an unknown kind or role, or a role named twice.
    """
    chosen: dict[str, tuple[str, str]] = {}
    for part in (part.strip() for part in text.split(",")):
        role, spec = _split(part)
        if role in chosen:
            raise WrongUse(f"--model names {role or 'the model of all agents'} twice: {text!r}")
        chosen[role] = _kind(spec)
    rest = chosen.pop("", DEFAULT)
    return {role: chosen.get(role, rest) for role in ROLES}


def anchored(text: str) -> str:
    """The same with paths made absolute, so that a run that is resumed from another folder means the same files."""
    return ",".join(_anchored(part.strip()) for part in text.split(","))


def _anchored(part: str) -> str:
    role, spec = _split(part)
    kind, argument = _kind(spec)
    of_kind = getattr(load("models", kind), "anchored", None)  # only kinds whose argument is a path have it
    if not argument or of_kind is None:
        return part
    return (f"{role}=" if role else "") + f"{kind}:{of_kind(argument)}"


def _split(part: str) -> tuple[str, str]:
    role, equals, spec = part.partition("=")
    if not equals or ":" in role:  # an `=` inside a URL belongs to the argument
        return "", part
    if role not in ROLES:
        raise WrongUse(f"no agent is called {role!r}; --model takes KIND or AGENT=KIND, agents: {', '.join(ROLES)}")
    return role, spec


def _kind(spec: str) -> tuple[str, str]:
    kind, _, argument = spec.partition(":")
    if kind not in names("models") and not _PATH.fullmatch(kind):
        raise WrongUse(f"no model is called {kind!r}; there are: {', '.join(names('models'))}")
    return kind, argument
