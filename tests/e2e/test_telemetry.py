"""A whole loop of the toy task, watched: every node and call has its place under the run, wherever it ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from collector import Collector, collector

import eidothea
from eidothea.graph import attributes as a
from eidothea.ledger.store import Ledger

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, Collector]:
    runs = tmp_path_factory.mktemp("telemetry") / "runs"
    toy = Path(__file__).parents[1] / "tasks" / "toy"
    with collector() as sink, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url)
        eidothea.run(str(toy), rounds=1, ideas=2, seed=1, parallel=2, runs_dir=runs, name="seen", telemetry=True)
    return Ledger.open(f"sqlite:///{runs / 'eidothea.db'}"), sink


def _attributes(span: Any) -> dict[str, str]:
    return {kv.key: kv.value.string_value for kv in span.attributes}


def _above(sink: Collector) -> list[tuple[str, ...]]:
    """The names from the root down to each span."""
    spans = {s.span_id: s for s in sink.spans}

    def names(span: Any) -> tuple[str, ...]:
        return (*(names(spans[span.parent_span_id]) if span.parent_span_id else ()), span.name)

    return [names(span) for span in spans.values()]


def test_one_trace_holds_the_whole_session(watched: tuple[Ledger, Collector]) -> None:
    _, sink = watched
    assert len({span.trace_id for span in sink.spans}) == 1
    assert {_attributes(span)[a.RUN] for span in sink.spans} == {"seen"}
    assert {names[0] for names in _above(sink)} == {"invoke_workflow research"}


def test_nodes_and_calls_nest_as_the_graph_does(watched: tuple[Ledger, Collector]) -> None:
    root, found = "invoke_workflow research", set(_above(watched[1]))
    assert {(root, name) for name in ("baseline", "invoke_agent idea", "invoke_agent analyst", "reflect")} <= found
    assert {(root, "experiment", name) for name in ("invoke_agent coder", "pilot", "over")} <= found
    calls = {names for names in found if names[-1] == "chat catalogue"}
    assert {names[-2] for names in calls} <= {
        f"invoke_agent {agent}" for agent in ("survey", "idea", "coder", "analyst")
    }
    assert (root, "experiment", "invoke_agent coder", "chat catalogue") in calls


def test_every_call_of_the_ledger_has_its_span(watched: tuple[Ledger, Collector]) -> None:
    ledger, sink = watched
    calls = [_attributes(s) for s in sink.spans if s.name == "chat catalogue"]
    assert sorted(call[a.KEY] for call in calls) == sorted(call.key for call in ledger.calls("seen"))
    assert {call[a.IDEA] for call in calls if call[a.REQUEST] == "write_code"} == {"r1-01", "r1-02"}
