"""Ask each model of a `--model` one tiny question: does it answer, how fast, at what price, and if not why."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import BaseModel

from eidothea.cli.checks import Check
from eidothea.errors import EidotheaError
from eidothea.state.answer import NoAnswer, Prompt, Tokens
from eidothea.state.request import Context, Request

if TYPE_CHECKING:
    from eidothea.protocols import Model
    from eidothea.settings import Settings

ANSWER_S = 60.0  # the tries of a server that is down would go on for longer
MOST_TOKENS = 2048  # models that think first need room for it
_NOT_ASKED = {
    "catalogue": "built in: answers the requests of a run, and nothing else",
    "inbox": "a person answers here, so it was not asked",
    "replay": "answers what was recorded, so it was not asked",
}


class Pong(BaseModel):
    ready: Literal["yes"]


class Answered(NamedTuple):
    """What came of asking one model; `roles` are the agents it serves."""

    model: str
    roles: tuple[str, ...]
    ok: bool
    detail: str
    mend: str = ""
    seconds: float | None = None
    tokens: Tokens | None = None
    price_known: bool | None = None
    structured: str = ""

    def check(self) -> Check:
        return Check(f"{self.model} ({', '.join(self.roles)})", self.ok, True, self.detail, self.mend)

    def facts(self) -> dict[str, Any]:
        return self._asdict() | {"tokens": self.tokens.model_dump() if self.tokens else None}


def ping(spec: str, settings: Settings, tell: Callable[[str], None]) -> list[Answered]:
    """Ask every distinct model that the spec names; raises WrongUse for a spec that makes no sense."""
    from eidothea.models._spec import parse

    roles: dict[tuple[str, str], list[str]] = {}
    for role, choice in parse(spec).items():
        roles.setdefault(choice, []).append(role)
    return asyncio.run(_all(roles, settings, tell))


async def _all(
    roles: dict[tuple[str, str], list[str]], settings: Settings, tell: Callable[[str], None]
) -> list[Answered]:
    # One after the other: seconds would say little if they shared a GPU.
    return [await _one(choice, tuple(names), settings, tell) for choice, names in roles.items()]


async def _one(
    choice: tuple[str, str], roles: tuple[str, ...], settings: Settings, tell: Callable[[str], None]
) -> Answered:
    from eidothea import plugins
    from eidothea.protocols import ModelOptions

    kind, argument = choice
    name = ":".join(filter(None, choice))
    short = settings.model_copy(update={"max_output_tokens": min(MOST_TOKENS, settings.max_output_tokens)})
    try:
        model = plugins.load("models", kind).create(argument, ModelOptions(_render, short, tell))
    except EidotheaError as error:
        return Answered(name, roles, False, str(error))
    try:
        if kind in _NOT_ASKED:
            return Answered(name, roles, True, _NOT_ASKED[kind], price_known=model.price is not None)
        return await _ask(model, name, roles, ANSWER_S + (settings.vllm_start_s if kind == "vllm" else 0))
    finally:
        await model.close()


async def _ask(model: Model, name: str, roles: tuple[str, ...], seconds: float) -> Answered:
    started = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            reply = await model.answer(Request("ping", "doctor/ping", Context(), Pong))
    except NoAnswer as none:
        took = time.monotonic() - started
        mend = "it can be reached, but a run needs answers that fit a JSON schema: try a larger model"
        return Answered(name, roles, False, f"no usable answer ({none.why}): {none}", mend, took, none.tokens)
    except EidotheaError as error:
        return Answered(name, roles, False, str(error))
    except TimeoutError:
        mend = "look whether the server runs and is reached from here"
        return Answered(name, roles, False, f"no answer within {seconds:g} s", mend)
    took, known = time.monotonic() - started, model.price is not None
    mode = _structured(model)
    said = f"answers: {took:.1f} s, {reply.tokens.input} + {reply.tokens.output} tokens, {_price(model)}"
    detail = said + (f", asked with {mode}" if mode else "")
    return Answered(name, roles, True, detail, "", took, reply.tokens, known, mode)


def _price(model: Model) -> str:
    if model.price is None:
        return "price unknown (set it under [prices] in eidothea.toml for budgets in dollars)"
    if model.price.input == model.price.output == 0:
        return "free"
    return f"${model.price.input:g} and ${model.price.output:g} per million tokens in and out"


def _structured(model: Model) -> str:
    """How structured answers are asked for, of a model that found it out."""
    form = getattr(getattr(model, "dialect", None), "form", None)
    if form is None:
        return ""
    from eidothea.models._chat.form import SAID

    return SAID.get(form.mode, str(form.mode))


def _render(name: str, context: Context, room: int | None = None) -> Prompt:
    return Prompt(
        "Answer with one JSON object that fits the schema, and nothing else.",
        'Say that you are ready, with exactly this answer: {"ready": "yes"}',
    )
