"""Packages that a candidate asks for: installed in docker workspaces before its code runs, from a real index."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench
from docker import APIClient
from package_index import serving

from eidothea.workspaces._docker import engine
from eidothea.workspaces.docker import DockerWorkspace

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_image")]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with serving(tmp_path / "index") as address:
        monkeypatch.setenv("EIDOTHEA_PACKAGE_INDEX", address)
        yield address
    with engine.connect() as client:
        for made in client.images("eidothea-requirements"):
            for tag in made["RepoTags"] or []:
                client.remove_image(tag)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(DockerWorkspace(), tmp_path / "job")


USE = "import only_there, numpy, socket; print(only_there.ANSWER, [n for _, n in socket.if_nameindex()])"


async def test_packages_are_there_and_the_network_is_not(bench: Bench, index: str) -> None:
    job = dataclasses.replace(bench.job(USE), requirements=("only-there==1.0",))
    ending = await bench.workspace.run(job)
    assert ending.ok, bench.stderr.decode()
    assert bench.stdout == b"42 ['lo']\n"
    without = await bench.run(USE)
    assert without.exit_code == 1
    assert b"ModuleNotFoundError" in bench.stderr


async def test_the_layer_is_built_once(bench: Bench, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    job = dataclasses.replace(bench.job(USE), requirements=("only-there==1.0",))
    assert (await bench.workspace.run(job)).ok
    monkeypatch.setattr("eidothea.workspaces._docker.layer._build", None)
    assert (await bench.workspace.run(job)).ok


def nameless(client: APIClient) -> set[str]:
    """Images that somebody began to build."""
    return {found["Id"] for found in client.images(filters={"dangling": True})}


async def test_a_version_that_does_not_exist_is_the_candidates_fault(bench: Bench, index: str) -> None:
    with engine.connect() as client:
        before = nameless(client)
    job = dataclasses.replace(bench.job(USE), requirements=("only-there==9.9",))
    ending = await bench.workspace.run(job)
    assert (ending.outcome, ending.exit_code) == ("exited", 1)
    with engine.connect() as client:
        assert nameless(client) == before
    assert b"No matching distribution found for only-there==9.9" in bench.stderr


async def test_an_index_out_of_reach_is_not(bench: Bench, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIDOTHEA_PACKAGE_INDEX", "http://127.0.0.1:1")
    job = dataclasses.replace(bench.job(USE), requirements=("only-there==1.0",))
    ending = await bench.workspace.run(job)
    assert ending.outcome == "infrastructure"
    assert "http://127.0.0.1:1" in ending.detail
