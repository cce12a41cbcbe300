"""Fixtures of the contract suites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench
from docker import APIClient


@pytest.fixture
def docked(tmp_path: Path) -> Bench:
    """A docker workspace with a folder for its job."""
    from eidothea.workspaces.docker import DockerWorkspace

    return Bench(DockerWorkspace(), tmp_path / "job")


@pytest.fixture
def client() -> Iterator[APIClient]:
    """A connection to the engine."""
    from eidothea.workspaces._docker import engine

    with engine.connect() as found:
        yield found
