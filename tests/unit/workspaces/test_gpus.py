"""GPUs are lent out one by one, among all processes of a machine. The devices are a fake nvidia-smi's."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eidothea.errors import Missing
from eidothea.workspaces import _gpus as gpus

FAKE = """#!/bin/sh
case "$*" in
*--query-gpu=uuid*) printf 'GPU-a\\nGPU-b\\nGPU-c\\n' ;;
*--query-compute-apps*) cat {busy} ;;
*--query-gpu=memory.used*) printf '1024, 50\\n512, 100\\n' ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three devices; who is written into the file that is returned is busy with something else."""
    program, busy = tmp_path / "fake-nvidia-smi", tmp_path / "busy"
    program.write_text(FAKE.format(busy=busy))
    program.chmod(0o755)
    busy.touch()
    monkeypatch.setattr(gpus, "PROGRAM", str(program))
    monkeypatch.setattr(gpus, "FOLDER", tmp_path / "locks")
    monkeypatch.setattr(gpus, "POLL_S", 0.01)
    return busy


async def test_no_device_is_lent_twice(machine: Path) -> None:
    async with gpus.lease(1) as first, gpus.lease(2) as second:
        assert sorted(first + second) == ["GPU-a", "GPU-b", "GPU-c"]
    async with gpus.lease(3) as all_of_them:
        assert len(all_of_them) == 3


async def test_who_wants_more_waits_and_holds_nothing_meanwhile(machine: Path) -> None:
    async def two() -> list[str]:
        async with gpus.lease(2) as got:
            return got

    async with gpus.lease(2):
        waiting = asyncio.create_task(two())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        async with gpus.lease(1) as rest:
            assert rest == ["GPU-c"]
    assert len(await waiting) == 2


async def test_devices_on_which_others_compute_are_left_alone(machine: Path) -> None:
    machine.write_text("GPU-a\nGPU-b\n")
    async with gpus.lease(1) as got:
        assert got == ["GPU-c"]


async def test_devices_that_never_get_free_end_the_wait(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.write_text("GPU-a\nGPU-b\n")
    monkeypatch.setattr(gpus, "PATIENCE_S", 0.05)
    with pytest.raises(Missing, match="2 of the 3 GPUs here did not get free"):
        async with gpus.lease(2):
            pass


async def test_a_machine_with_too_few_says_so_at_once(machine: Path) -> None:
    with pytest.raises(Missing, match="wants 4 GPUs and 3 are here"):
        async with gpus.lease(4):
            pass


async def test_no_gpus_ask_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "PROGRAM", "/nonexistent")
    async with gpus.lease(0) as got:
        assert got == []


HOLD = """
import sys, time
from pathlib import Path
from eidothea.workspaces import _gpus as gpus
gpus.FOLDER = Path(sys.argv[1])
held = gpus.take(["GPU-a", "GPU-b"], 2)
print(len(held), flush=True)
time.sleep(60)
"""


def test_a_lease_ends_with_its_process(machine: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(gpus.FOLDER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "2\n"
        assert gpus.take(["GPU-a", "GPU-b"], 1) == {}
        other.kill()
    locks = gpus.take(["GPU-a", "GPU-b"], 2)
    assert len(locks) == 2
    for descriptor in locks.values():
        os.close(descriptor)


def test_the_meter_adds_up_what_is_used(machine: Path) -> None:
    meter = gpus.Meter(["GPU-a", "GPU-b"])
    meter.look(2.0)
    meter.look(2.0)
    assert meter.memory_mb == 1536
    assert meter.seconds == pytest.approx(2 * 2.0 * 1.5)


@pytest.mark.parametrize(("program", "said"), [("/nonexistent/x", "no GPU is here"), ("/bin/false", "no reason given")])
def test_no_driver(monkeypatch: pytest.MonkeyPatch, program: str, said: str) -> None:
    monkeypatch.setattr(gpus, "PROGRAM", program)
    with pytest.raises(Missing, match=said):
        gpus.devices()
