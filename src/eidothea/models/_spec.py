"""Which model serves which agent: `catalogue`, `openai:NAME@URL`, or `idea=openai:A,coder=catalogue`."""

from __future__ import annotations

from eidothea.errors import WrongUse
from eidothea.plugins import names

ROLES = ("survey", "idea", "coder", "debugger", "analyst")
DEFAULT = ("catalogue", "")


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


def _split(part: str) -> tuple[str, str]:
    role, equals, spec = part.partition("=")
    if not equals or ":" in role:  # an `=` inside a URL belongs to the argument
        return "", part
    if role not in ROLES:
        raise WrongUse(f"no agent is called {role!r}; --model takes KIND or AGENT=KIND, agents: {', '.join(ROLES)}")
    return role, spec


def _kind(spec: str) -> tuple[str, str]:
    kind, _, argument = spec.partition(":")
    if kind not in names("models"):
        raise WrongUse(f"no model is called {kind!r}; there are: {', '.join(names('models'))}")
    return kind, argument
