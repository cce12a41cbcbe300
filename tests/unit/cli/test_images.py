"""`eidothea images`: against a real engine, and without a registry."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import suppress

import pytest
from calls import Call

from eidothea.workspaces._docker import engine
from eidothea.workspaces._docker.image import LABEL, PACKAGES_LABEL, PYTHON_LABEL
from eidothea.workspaces.docker import DockerWorkspace

BUILT = "eidothea-cpu:built-by-a-test"
pytestmark = pytest.mark.docker


@pytest.fixture
def base(docker_image: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Something to build on; what is built gets a name of its own and is removed."""
    monkeypatch.setenv("EIDOTHEA_DOCKER_IMAGE", BUILT)
    yield docker_image
    from docker.errors import ImageNotFound

    with engine.connect() as client, suppress(ImageNotFound):
        client.remove_image(BUILT, force=True)


def test_build_list_and_use(base: str, call: Call) -> None:
    done = call("images", "build", "--base", base, "--json")
    assert done.code == 0, done.err
    made = done.json()
    assert made["image"] == BUILT
    assert made["packages"] == "host"
    assert made["python"].split(".")[:2] == list(platform.python_version_tuple()[:2])
    assert "Step 1/" in done.err
    rows = [row for row in call("images", "list", "--json").json() if row["image"] == BUILT]
    assert [(row["kind"], row["python"], row["packages"]) for row in rows] == [("cpu", made["python"], "host")]
    assert BUILT in call("images", "list").out
    probe = DockerWorkspace.probe()
    assert probe.ok
    assert BUILT in probe.reason


def test_a_base_that_is_not_here_is_told_with_the_way_out(base: str, call: Call) -> None:
    done = call("images", "build", "--base", "127.0.0.1:1/nobody:1")  # a registry that nobody runs
    assert done.code == 4
    assert "docker import" in done.err
    assert "--base" in done.err


def test_without_an_engine(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    for words in (("images", "build"), ("images", "list")):
        done = call(*words)
        assert done.code == 4
        assert "no Docker engine is here" in done.err


def test_images_that_do_not_fit_are_refused(base: str) -> None:
    with engine.connect() as client:
        made = client.create_container(base, ["true"])["Id"]
        try:
            for labels, said in (
                ({LABEL: ""}, "no image of Eidothea"),
                ({LABEL: "cpu", PYTHON_LABEL: "3.4.1", PACKAGES_LABEL: "host"}, "has Python 3.4.1"),
            ):
                changes = [f'LABEL {name}="{value}"' for name, value in labels.items()]
                client.commit(made, *BUILT.split(":"), changes=changes)
                probe = DockerWorkspace.probe()
                assert not probe.ok
                assert said in probe.reason
                client.remove_image(BUILT)
        finally:
            client.remove_container(made)
