"""The graph's shape is the design's, and LangGraph's own tools can open it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def drawn(tmp_path: Path) -> object:
    """The graph as `langgraph.json` names it, in a folder without any run."""
    where, _, name = json.loads((ROOT / "langgraph.json").read_text())["graphs"]["research"].partition(":")
    spec = importlib.util.spec_from_file_location("studio", ROOT / where)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)({"configurable": {}}).get_graph(xray=1)


def test_node_names_are_the_words_of_the_design(drawn: object) -> None:
    names = {name.split(":")[-1] for name in drawn.nodes}  # type: ignore[attr-defined]
    assert {"baseline", "survey", "ideate", "analyse", "reflect"} <= names
    assert {"implement", "pilot", "debug", "replicate", "confirm"} <= names


def test_an_experiment_goes_as_designed(drawn: object) -> None:
    edges = {(e.source.split(":")[-1], e.target.split(":")[-1]) for e in drawn.edges}  # type: ignore[attr-defined]
    assert {("implement", "pilot"), ("pilot", "debug"), ("debug", "pilot"), ("pilot", "replicate")} <= edges
    assert {("replicate", "confirm"), ("analyse", "reflect"), ("reflect", "ideate")} <= edges
    assert ("confirm", "debug") not in edges, "fresh seeds must not be used to repair"
