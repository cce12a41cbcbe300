"""Waiting containers in Docker come when they are needed, and leave nothing behind, however a run ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bench import Bench
from docker import APIClient
from warm_docker import EagerDocker

from eidothea.workspaces._docker import leftovers, staging
from eidothea.workspaces.docker import DockerWorkspace

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_image")]
ALONE = {"run": "alone"}
SEES = "import sys; print('torch' in sys.modules)"


@pytest.fixture
async def alone(tmp_path: Path, client: APIClient, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """One with containers and folders of its own, of which nothing may be left in the end; its jobs are of ALONE."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    bench = Bench(EagerDocker(), tmp_path / "warm")
    yield bench
    await bench.workspace.close()
    assert not list(temporary.glob(f"{staging.PREFIX}*"))
    assert not client.containers(all=True, filters={"label": f"eidothea.run={ALONE['run']}"})


async def test_cancelling_kills_the_job_and_brings_its_results(alone: Bench) -> None:
    (alone.out / "before").write_text("1")
    code = "import time; open('/workspace/out/x', 'w'); print('here', flush=True); time.sleep(60)"
    task = asyncio.create_task(alone.workspace.run(alone.job(code, 90, labels=ALONE)))
    log = alone.folder / "stdout.log"
    async with asyncio.timeout(60):
        while not log.exists() or not alone.stdout:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(file.name for file in alone.out.iterdir()) == ["before", "x"]


async def test_jobs_that_cannot_start_warm_start_cold(alone: Bench, client: APIClient) -> None:
    eager, workspace, bench = alone.workspace, DockerWorkspace(warm=True), alone
    assert isinstance(eager, EagerDocker)
    bench.workspace, workspace.pool = workspace, eager.pool
    job = bench.job(SEES, labels=ALONE)
    assert (await workspace.run(job)).ok
    assert bench.stdout == b"False\n", "none was ready"
    await eager.prepared(job)
    assert (await bench.run(SEES, command="python -X dev main.py", labels=ALONE)).ok
    assert bench.stdout == b"False\n"
    (bench.tree / "random.py").write_text("covered = True\n")
    assert (await workspace.run(job)).ok
    assert bench.stdout == b"False\n"
    (bench.tree / "random.py").unlink()
    assert eager.pool is not None
    assert eager.pool.shelf is not None
    client.kill(eager.pool.shelf.ready[0].identifier)
    assert (await workspace.run(job)).ok
    assert bench.stdout in (b"False\n", b"True\n")  # of the killed one, or of the next
    await eager.prepared(job)
    assert (await workspace.run(job)).ok
    assert bench.stdout == b"True\n"


PARENT = """
import asyncio, sys, time
from pathlib import Path
from bench import Bench
from warm_docker import EagerDocker
async def main():
    bench = Bench(EagerDocker(), Path(sys.argv[1]))
    await bench.workspace.prepared(bench.job(""))
    print("ready", flush=True)
    await asyncio.sleep(90)
asyncio.run(main())
"""


def test_kill_9_ends_waiting_containers_and_the_next_command_removes_them(tmp_path: Path, client: APIClient) -> None:
    support = Path(__file__).resolve().parents[1] / "support"
    environment = {**os.environ, "PYTHONPATH": str(support)}
    words = [sys.executable, "-c", PARENT, str(tmp_path / "job")]
    with subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        folders = list(Path(tempfile.gettempdir()).glob(f"{staging.PREFIX}{parent.pid}-*"))
        owner = leftovers.owner().split("/")
        mine = {"label": f"{leftovers.OWNER}={'/'.join((*owner[:2], str(parent.pid), leftovers.started(parent.pid)))}"}
        assert client.containers(filters=mine)
        assert folders
        os.killpg(parent.pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while client.containers(filters=mine) and time.monotonic() < end:
        time.sleep(0.1)
    assert not client.containers(filters=mine), "they have ended by themselves"
    leftovers.reap(client)
    staging.sweep()
    assert not client.containers(all=True, filters=mine)
    assert not any(folder.exists() for folder in folders)


async def test_containers_are_prepared_when_the_folders_of_the_last_job_are_gone(alone: Bench) -> None:
    job = alone.job(SEES, labels=ALONE)
    await alone.workspace.run(job)
    alone.out.rmdir()
    pool = alone.workspace.pool  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        while not pool.full:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert len(pool.shelf.ready) == 2, pool.trouble
