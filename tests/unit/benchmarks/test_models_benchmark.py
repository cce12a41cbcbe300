"""The benchmark of models asks both sides the same, equally often."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from llm_server import LlmServer, says

from eidothea.models._chat.dialect import forget


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = Path(__file__).parents[3] / "benchmarks" / "models.py"
    spec = importlib.util.spec_from_file_location("models_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


async def test_both_sides_send_the_same_and_are_timed_equally_often(benchmark: ModuleType) -> None:
    forget()
    async with LlmServer(play=lambda body: says('{"number": 7, "note": ""}')) as server:
        bare, backed = await benchmark.measure(server.url, 2 * benchmark.BATCHES, 2)
    assert len(bare.took) == len(backed.took) == 2 * benchmark.BATCHES
    sent = [json.dumps(body, sort_keys=True) for body in server.requests]
    assert len(sent) == 4 * (benchmark.BATCHES + 1)
    assert len(set(sent)) == 2  # by seed only: the two sides cannot be told apart
    assert server.most_at_once == 2
    numbers = benchmark.found(bare, backed)
    over = numbers.pop("over_ms")
    assert min(numbers.values()) > 0
    assert over < max(backed.took)
