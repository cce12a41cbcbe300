"""Spans nest as the work does, say what the conventions name, and never hold up or fail what they watch."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from operator import add
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pytest
from collector import collector
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel, Field

from eidothea.budget import Budget
from eidothea.errors import BudgetSpent, Missing, WrongUse
from eidothea.graph import attributes as a
from eidothea.graph import otlp
from eidothea.graph.metered import MeteredModel
from eidothea.graph.stopping import Stopper
from eidothea.graph.telemetry import OFF, Telemetry, check, start
from eidothea.ledger.store import Ledger
from eidothea.settings import Price, Settings
from eidothea.state.answer import NoAnswer, Prompt, Reply, Tokens
from eidothea.state.record import Charge
from eidothea.state.request import Context, Request
from eidothea.state.run import RunRequest

A = TypeVar("A", bound=BaseModel)
ON = Settings(telemetry=True)
SECRET = "the words of the prompt"


class Answer(BaseModel):
    number: int


class Fake:
    """A fake language model: answers, or raises what it is told to."""

    def __init__(self, error: Exception | None = None, name: str = "openai:some-model") -> None:
        self.error, self.name = error, name
        self.price: Price | None = Price(input=1, output=2)
        self.parameters = {"model": "some-model", "temperature": 0.5}

    async def answer(self, request: Request[A]) -> Reply[A]:
        if self.error:
            raise self.error
        tokens = Tokens(input=60, cached=20, output=40, usd=0.125)
        value = request.answer.model_validate({"number": 7})
        return Reply(value, f"{SECRET} \ud800", Prompt("be good", SECRET), tokens)

    async def close(self) -> None: ...


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    kept = InMemorySpanExporter()
    monkeypatch.setattr(otlp, "exporter", lambda: kept)
    return kept


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path / 'eidothea.db'}")
    yield opened
    opened.close()


def metered(ledger: Ledger, telemetry: Telemetry, fake: Any = None) -> MeteredModel:
    budget = Budget(RunRequest(task="t"), lambda: ledger.spending("r"), lambda seconds: None, ledger.put_charge)
    return MeteredModel(fake or Fake(), "coder", "r", ledger, budget, Stopper(), telemetry=telemetry)


def request(key: str = "r1-01/code") -> Request[Answer]:
    return Request("write_code", key, Context(), Answer)


def one(spans: tuple[ReadableSpan, ...], name: str) -> ReadableSpan:
    (found,) = [s for s in spans if s.name == name]
    return found


class Inner(BaseModel):
    run: str
    idea: str
    finished: Annotated[list[str], add] = Field(default_factory=list)


class Output(BaseModel):
    finished: Annotated[list[str], add] = Field(default_factory=list)


class Outer(BaseModel):
    run: str
    round: int = 0
    finished: Annotated[list[str], add] = Field(default_factory=list)


def loop(model: MeteredModel, telemetry: Telemetry, seen: list[type]) -> Any:
    """A small graph as the research graph is made: nodes, and sub-graphs side by side."""

    async def implement(state: Inner) -> dict[str, Any]:
        await model.answer(request(f"{state.idea}/code"))
        return {"finished": [state.idea]}

    async def ideate(state: Outer) -> dict[str, Any]:
        seen.append(type(state))
        return {"round": 1}

    inner = StateGraph(Inner, output_schema=Output)
    inner.add_node("implement", telemetry.node("implement", implement))
    inner.add_edge(START, "implement")
    inner.add_edge("implement", END)
    outer = StateGraph(Outer)
    outer.add_node("ideate", telemetry.node("ideate", ideate))
    outer.add_node("experiment", telemetry.node("experiment", inner.compile()))
    outer.add_edge(START, "ideate")
    both = [Send("experiment", {"run": "r", "idea": idea}) for idea in ("r1-01", "r1-02")]
    outer.add_conditional_edges("ideate", lambda state: both, ["experiment"])
    return outer.compile()


async def test_spans_nest_as_the_work_does(memory: InMemorySpanExporter, ledger: Ledger) -> None:
    telemetry, seen = start(ON, "r"), list[type]()
    graph = loop(metered(ledger, telemetry), telemetry, seen)
    with telemetry.run():
        done = await graph.ainvoke({"run": "r"})
    telemetry.close()
    assert sorted(done["finished"]) == ["r1-01", "r1-02"]
    assert seen == [Outer], "a node gets its state as it would without a span"
    spans = {s.context.span_id: s for s in memory.get_finished_spans() if s.context}

    def path(span: ReadableSpan) -> str:
        above = spans[span.parent.span_id] if span.parent else None
        idea = (span.attributes or {}).get(a.IDEA, "")
        return (path(above) + " > " if above else "") + f"{span.name} {idea}".strip()

    assert sorted(map(path, spans.values())) == [
        "invoke_workflow research",
        *(
            f"invoke_workflow research > {rest}"
            for rest in (
                "experiment r1-01",
                "experiment r1-01 > invoke_agent coder r1-01",
                "experiment r1-01 > invoke_agent coder r1-01 > chat some-model r1-01",
                "experiment r1-02",
                "experiment r1-02 > invoke_agent coder r1-02",
                "experiment r1-02 > invoke_agent coder r1-02 > chat some-model r1-02",
                "invoke_agent idea",
            )
        ),
    ]
    assert {(s.attributes or {}).get(a.RUN) for s in spans.values()} == {"r"}


async def test_a_call_says_what_the_conventions_name(memory: InMemorySpanExporter, ledger: Ledger) -> None:
    telemetry = start(ON, "r")
    await metered(ledger, telemetry).answer(request())
    await metered(ledger, telemetry).answer(request())  # from the ledger: nothing is asked, so there is no span
    telemetry.close()
    (span,) = memory.get_finished_spans()
    assert (span.name, span.kind, span.status.status_code) == ("chat some-model", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "some-model",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": 60,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.output_tokens": 40,
        "eidothea.run": "r",
        "eidothea.agent": "coder",
        "eidothea.idea": "r1-01",
        "eidothea.round": 1,
        "eidothea.request": "write_code",
        "eidothea.key": "r1-01/code",
        "eidothea.usd": 0.125,
    }


async def test_the_words_are_sent_only_when_asked_for(
    memory: InMemorySpanExporter, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = start(ON, "r")
    await metered(ledger, telemetry).answer(request())
    telemetry.close()
    assert SECRET not in memory.get_finished_spans()[0].to_json()
    memory.clear()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    memory._stopped = False
    telemetry = start(ON, "r")
    await metered(ledger, telemetry).answer(request("r1-02/code"))
    telemetry.close()
    sent = {key: json.loads(str(value)) for key, value in _attributes(memory).items() if "messages" in key}
    assert sent["gen_ai.input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": SECRET}]}]
    (said,) = sent["gen_ai.output.messages"]
    assert (said["role"], said["finish_reason"]) == ("assistant", "stop")
    assert said["parts"][0]["content"].startswith(SECRET)
    assert json.loads(str(_attributes(memory)["gen_ai.system_instructions"])) == [
        {"type": "text", "content": "be good"}
    ]


def _attributes(memory: InMemorySpanExporter) -> dict[str, Any]:
    return dict(memory.get_finished_spans()[-1].attributes or {})


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (NoAnswer(f"cut off: {SECRET}", "length", tokens=Tokens(output=9)), "length", "length"),
        (Missing("the server refuses the key \ud800"), "Missing", "the server refuses the key ?"),
        (RuntimeError(SECRET), "RuntimeError", "RuntimeError"),
    ],
    ids=["no answer", "missing", "bug"],
)
async def test_a_failure_is_an_error_without_the_models_words(
    memory: InMemorySpanExporter, ledger: Ledger, error: Exception, kind: str, told: str
) -> None:
    telemetry = start(ON, "r")
    with pytest.raises(type(error)):
        await metered(ledger, telemetry, Fake(error)).answer(request())
    telemetry.close()
    (span,) = memory.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, told)
    assert _attributes(memory)[a.ERROR_TYPE] == kind
    assert SECRET not in span.to_json()
    if isinstance(error, NoAnswer):
        assert (_attributes(memory)[a.OUTPUT_TOKENS], _attributes(memory)[a.FINISH_REASONS]) == (9, ("length",))


async def test_a_stop_is_no_error(memory: InMemorySpanExporter, ledger: Ledger) -> None:
    telemetry = start(ON, "r")
    with pytest.raises(BudgetSpent):
        await metered(ledger, telemetry, Fake(BudgetSpent("enough"))).answer(request())
    telemetry.close()
    (span,) = memory.get_finished_spans()
    assert span.status.status_code is StatusCode.UNSET
    assert _attributes(memory)[a.STOPPED] == "BudgetSpent"


async def test_off_is_the_nodes_themselves(ledger: Ledger) -> None:
    async def node(state: Outer) -> dict[str, Any]:
        return {}

    assert start(Settings(), "r") is OFF
    assert OFF.node("ideate", node) is node


@pytest.mark.parametrize("name", ["OTEL_SDK_DISABLED=true", "OTEL_TRACES_EXPORTER=none"])
def test_the_standard_variables_switch_it_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(*name.split("="))
    assert start(ON, "r") is OFF


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(Missing, match=r"pip install 'eidothea\[otel\]'"):
        check(ON)


@pytest.mark.parametrize(
    "name",
    ["OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_BSP_MAX_QUEUE_SIZE=-1"],
)
def test_a_variable_that_makes_no_sense_is_wrong_use(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(*name.split("="))
    with pytest.raises(WrongUse, match="OTEL_"):
        check(ON)


def test_our_names_are_those_of_the_conventions() -> None:
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as conventions

    known = {value for value in vars(conventions).values() if isinstance(value, str)}
    ours = {value for value in vars(a).values() if isinstance(value, str) and value.startswith("gen_ai.")}
    assert ours <= known
    operations = {value.value for value in conventions.GenAiOperationNameValues}
    assert {a.CHAT, a.INVOKE_AGENT, a.INVOKE_WORKFLOW} <= operations


async def test_spans_reach_a_collector_as_otlp(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic YTpiYg==,x-api-key=abc")
    with collector() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{sink.url}/otel")
        telemetry = start(ON, "r")
        with telemetry.run():
            await metered(ledger, telemetry).answer(request())
        telemetry.close()
    assert sink.paths == ["/otel/v1/traces"]
    sent = {name.lower(): value for name, value in sink.headers[0].items()}
    assert (sent["authorization"], sent["x-api-key"]) == ("Basic YTpiYg==", "abc")
    assert sink.resource["service.name"] == "eidothea"
    chat, workflow = sink.spans
    assert (chat.name, workflow.name) == ("chat some-model", "invoke_workflow research")
    assert (chat.parent_span_id, chat.trace_id) == (workflow.span_id, workflow.trace_id)
    assert {kv.key: kv.value.int_value for kv in chat.attributes}["gen_ai.usage.input_tokens"] == 60


def test_the_service_may_have_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    assert otlp._resource().attributes["service.name"] == "mine"


async def _one_call(ledger: Ledger) -> Reply[Answer]:
    telemetry = start(ON, "r")
    try:
        return await metered(ledger, telemetry).answer(request())
    finally:
        telemetry.close()


@pytest.mark.parametrize("status", [500, 401])
async def test_a_collector_that_refuses_is_told_and_changes_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    with collector(status) as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url)
        assert (await _one_call(ledger)).value.number == 7
        assert sink.requests
    assert "not every span" in caplog.text


async def test_nobody_listening_changes_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setattr(otlp, "FLUSH_S", 0.2)
        assert (await _one_call(ledger)).value.number == 7
        _wait_for_the_sender()
    assert "not every span" in caplog.text


async def test_a_collector_that_hangs_is_left_behind(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(otlp, "FLUSH_S", 0.2)
    with collector(hangs=True) as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url)
        assert (await _one_call(ledger)).value.number == 7
        assert sink.asked.is_set()
        assert not sink.requests
        assert "not every span" in caplog.text
        sink.release.set()
        _wait_for_the_sender()


def _wait_for_the_sender() -> None:
    """Its sockets must be closed before the test ends; a run would leave them to the end of the process."""
    for thread in threading.enumerate():
        if thread.name == "eidothea-telemetry":
            thread.join(timeout=60)


async def test_an_exporter_that_raises_changes_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(InMemorySpanExporter):
        def export(self, spans: Any) -> Any:
            raise OSError("no more sockets")

    monkeypatch.setattr(otlp, "exporter", Broken)
    with caplog.at_level(logging.WARNING):
        assert (await _one_call(ledger)).value.number == 7
    assert "not every span" in caplog.text


def test_nothing_left_out_of_a_charge_breaks_a_call(memory: InMemorySpanExporter) -> None:
    telemetry = start(ON, "r")
    with telemetry.call(Charge(run="r", key="k", agent="idea", model="catalogue"), "propose_ideas", {}) as said:
        said(Reply(Answer(number=1)))
    telemetry.close()
    (span,) = memory.get_finished_spans()
    assert (span.name, span.kind) == ("chat catalogue", SpanKind.INTERNAL)
    assert a.INPUT_TOKENS not in _attributes(memory)
