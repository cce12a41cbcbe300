"""Spans of every node and model call, for whatever understands OpenTelemetry. Off unless the settings ask for it."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.errors import GraphBubbleUp

from eidothea.errors import EidotheaError, ModelMistake, Stopped
from eidothea.graph import attributes as a
from eidothea.settings import Settings
from eidothea.state.answer import NoAnswer, Reply
from eidothea.state.record import Charge

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from eidothea.graph.otlp import Sending

Said = Callable[[Reply[Any] | NoAnswer], None]
_AGENTS = {"survey": "survey", "ideate": "idea", "implement": "coder", "debug": "debugger", "analyse": "analyst"}
_HERE = ("catalogue", "llamacpp", "inbox", "replay")  # models that no other machine is asked for


class Telemetry:
    """This one makes no spans and costs nothing."""

    def run(self) -> AbstractContextManager[object]:
        """The span around a session's work on its run."""
        return nullcontext()

    def node(self, name: str, work: Any) -> Any:  # noqa: ANN401 - whatever LangGraph takes for a node
        """The graph's node `name` with a span around it."""
        return work

    def call(self, charge: Charge, request: str, parameters: Mapping[str, Any]) -> AbstractContextManager[Said]:
        """The span around one model call; what it yields is to be told what came back."""
        return nullcontext(_ignore)

    def close(self) -> None:
        """Send what is left, for a short while."""


def _ignore(said: Reply[Any] | NoAnswer) -> None: ...


OFF = Telemetry()


def check(settings: Settings) -> None:
    """Raise Missing or WrongUse when the settings ask for telemetry that cannot work here."""
    start(settings, "").close()


def start(settings: Settings, run: str) -> Telemetry:
    """What the settings ask for; the rest is configured by the standard OTEL_* variables.

    Raises Missing when the exporter is not installed, WrongUse for OTEL_* values that make no sense.
    """
    if not settings.telemetry:
        return OFF
    from eidothea.graph import otlp

    sending = otlp.start()
    return Spans(sending, run) if sending else OFF


class Spans(Telemetry):
    """Spans of one session of a run. They nest by the context that asyncio hands on to every task."""

    def __init__(self, sending: Sending, run: str) -> None:
        from eidothea.graph.otlp import wants_content

        self._sending, self._run = sending, run
        self._tracer = sending.tracer
        self._content = wants_content()

    def run(self) -> AbstractContextManager[object]:
        about = {a.OPERATION: a.INVOKE_WORKFLOW, a.WORKFLOW_NAME: "research"}
        return self._span(f"{a.INVOKE_WORKFLOW} research", about)

    def node(self, name: str, work: Any) -> Any:  # noqa: ANN401 - whatever LangGraph takes for a node
        if isinstance(work, Runnable):
            return _SpannedGraph(work, functools.partial(self._node, name))
        return _spanned(work, functools.partial(self._node, name))

    def _node(self, name: str, state: Any) -> AbstractContextManager[Span]:  # noqa: ANN401 - any graph's state
        about: dict[str, Any] = {a.NODE: name, **_place(state)}
        if agent := _AGENTS.get(name):
            about |= {a.OPERATION: a.INVOKE_AGENT, a.AGENT_NAME: agent}
        return self._span(f"{a.INVOKE_AGENT} {agent}" if agent else name, about)

    @contextmanager
    def call(self, charge: Charge, request: str, parameters: Mapping[str, Any]) -> Iterator[Said]:
        provider, _, rest = charge.model.partition(":")
        model = str(parameters.get("model") or rest.partition("@")[0] or charge.model)
        about: dict[str, Any] = {a.OPERATION: a.CHAT, a.PROVIDER: provider, a.MODEL: model, a.OUTPUT_TYPE: "json"}
        about |= {a.REQUEST: request}
        about |= {a.AGENT: charge.agent, a.IDEA: charge.idea, a.ROUND: charge.round or None, a.KEY: charge.key}
        about |= {a.TEMPERATURE: parameters.get("temperature"), a.MAX_TOKENS: parameters.get("max_output_tokens")}
        with self._span(f"{a.CHAT} {model}", about, remote=provider not in _HERE) as span:
            yield lambda said: span.set_attributes(_known(_outcome(said) | (_content(said) if self._content else {})))

    @contextmanager
    def _span(self, name: str, about: Mapping[str, Any], remote: bool = False) -> Iterator[Span]:
        from opentelemetry.trace import SpanKind

        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT if remote else SpanKind.INTERNAL,
            attributes=_known({a.RUN: self._run, **about}),
            record_exception=False,  # a traceback may hold what a model wrote
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                _ended_by(span, error)
                raise

    def close(self) -> None:
        self._sending.close()


class _SpannedGraph(Runnable[Any, Any]):
    """A sub-graph with a span around it; LangGraph hands it its own configuration as it would without."""

    def __init__(self, inner: Runnable[Any, Any], span: Callable[[Any], AbstractContextManager[object]]) -> None:
        self._inner, self._span = inner, span

    def invoke(self, input: Any, config: RunnableConfig | None = None, **more: Any) -> Any:  # noqa: ANN401
        with self._span(input):
            return self._inner.invoke(input, config, **more)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **more: Any) -> Any:  # noqa: ANN401
        with self._span(input):
            return await self._inner.ainvoke(input, config, **more)


def _spanned(
    work: Callable[[Any], Awaitable[Any]], span: Callable[[Any], AbstractContextManager[object]]
) -> Callable[[Any], Awaitable[Any]]:
    @functools.wraps(work)  # LangGraph reads the type of the state from the annotations
    async def spanned(state: Any) -> Any:  # noqa: ANN401 - any graph's state
        with span(state):
            return await work(state)

    return spanned


def _place(state: Any) -> dict[str, Any]:  # noqa: ANN401 - any graph's state, as a model or as plain values
    fields = state if isinstance(state, dict) else vars(state)
    idea = str(fields.get("idea") or "")
    found = re.match(r"r(\d+)-", idea)
    return {a.IDEA: idea, a.ROUND: int(found[1]) if found else fields.get("round") or None}


def _outcome(said: Reply[Any] | NoAnswer) -> dict[str, Any]:
    """What was used. The conventions have no attribute for money; an unknown price leaves ours out."""
    used = said.tokens
    about: dict[str, Any] = {a.USD: used.usd}
    if used.total:
        about |= {a.INPUT_TOKENS: used.input, a.OUTPUT_TOKENS: used.output, a.CACHED_TOKENS: used.cached or None}
    if isinstance(said, NoAnswer) and said.why == "length":
        about[a.FINISH_REASONS] = ["length"]
    return about


def _content(said: Reply[Any] | NoAnswer) -> dict[str, Any]:
    """Prompt and answer as the conventions' JSON, in ASCII so that no text of a model can break the encoding."""
    import json

    text = said.text or (said.value.model_dump_json() if isinstance(said, Reply) else "")
    finish = "stop" if isinstance(said, Reply) else said.why
    about = {a.OUTPUT_MESSAGES: json.dumps([_message("assistant", text) | {"finish_reason": finish}])}
    if said.prompt:
        about[a.SYSTEM_INSTRUCTIONS] = json.dumps([{"type": "text", "content": said.prompt.system}])
        about[a.INPUT_MESSAGES] = json.dumps([_message("user", said.prompt.user)])
    return about


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _known(about: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not known; text that is no text (half a character) would spoil the whole batch."""
    return {
        key: value.encode(errors="replace").decode() if isinstance(value, str) else value
        for key, value in about.items()
        if value is not None and value != ""
    }


def _ended_by(span: Span, error: BaseException) -> None:
    """A stop is no failure. What a model's mistake says may hold what it wrote, so only its kind is told."""
    from opentelemetry.trace import Status, StatusCode

    if isinstance(error, Stopped | asyncio.CancelledError | GraphBubbleUp):
        span.set_attribute(a.STOPPED, type(error).__name__)
        return
    kind = error.why if isinstance(error, NoAnswer) else type(error).__name__
    ours = isinstance(error, EidotheaError) and not isinstance(error, ModelMistake)
    said = str(error).encode(errors="replace").decode() if ours else kind
    span.set_attribute(a.ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR, said))
