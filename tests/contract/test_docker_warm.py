"""Warm starts in Docker: a script sees and does what it would from a cold start, and nothing passes between jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from warm_docker import EagerDocker
from warm_scripts import CLEAN, DIRTY, ENDINGS, SAME_NUMBERS, SURROUNDINGS

from eidothea.workspaces._docker.cgroup import Group
from eidothea.workspaces._docker.pool import Pool

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_image")]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Waiting containers for many tests."""
    made = Pool()
    yield made
    made.close()


@pytest.fixture
def warm(tmp_path: Path, pool: Pool) -> Bench:
    """A docker workspace whose scripts all start warm."""
    return Bench(EagerDocker(pool), tmp_path / "warm")


Seen = tuple[tuple[str, int | None, str], bytes, bytes]


async def both(docked: Bench, warm: Bench, code: str, **more: Any) -> list[Seen]:
    """How it ended, and what it printed, cold and warm."""
    found = []
    for bench in (docked, warm):
        ending = await bench.run(code, seconds=90, **more)
        printed = [re.sub(rb" at 0x[0-9a-f]+", b"", text) for text in (bench.stdout, bench.stderr)]
        found.append(((ending.outcome, ending.exit_code, ending.detail), printed[0], printed[1]))
    return found


async def test_a_script_finds_what_it_would_from_a_cold_start(docked: Bench, warm: Bench, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows").write_text("1")
    code = SURROUNDINGS.replace("print(json", "assert open('/workspace/data/rows').read() == '1'\nprint(json")
    cold, other = await both(docked, warm, code, command="python main.py 'a b'", mounts={"data": tmp_path / "data"})
    assert cold[0] == ("exited", 0, ""), cold[2]
    assert other[0] == cold[0], other[2]
    expected, seen = json.loads(cold[1]), json.loads(other[1])
    for found in (expected, seen):  # one mount for all that is read-only, instead of one for each
        found["mounts"] = sorted(map(tuple, (m for m in found["mounts"] if not m[0].startswith("/workspace/"))))
    seen["mounts"] = [m for m in seen["mounts"] if m[0] != "/workspace"]
    assert seen == expected
    assert other[2] == cold[2]


WRITES = """
import os
tried = ["/workspace/x", "/workspace/tree/main.py", "/workspace/tree/x", "/workspace/data/rows", "/x",
         "/run/eidothea/x"]
for path in tried:
    for how in (lambda: open(path, "a"), lambda: os.unlink(path), lambda: os.chmod(path, 0o777),
                lambda: os.link("/workspace/data/rows", "/workspace/out/linked")):
        try:
            how()
            print("could", path)
        except OSError:
            pass
open("/workspace/out/kept", "w").write("kept")
"""


async def test_what_is_put_in_cannot_be_changed(warm: Bench, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows").write_text("1")
    (tmp_path / "data" / "rows").chmod(0o666)
    assert (await warm.run(WRITES, mounts={"data": tmp_path / "data"})).ok, warm.stderr
    assert warm.stdout == b""
    assert [file.name for file in warm.out.iterdir()] == ["kept"]
    assert (tmp_path / "data" / "rows").stat().st_nlink == 1
    assert (tmp_path / "data" / "rows").read_text() == "1"


async def test_nothing_passes_from_one_job_to_the_next(docked: Bench, warm: Bench) -> None:
    assert (await docked.run(CLEAN, 90)).ok, docked.stderr
    assert (await warm.run(DIRTY)).ok, warm.stderr
    assert warm.stdout == b"left over\n"
    (warm.out / "left-over").unlink()
    random: list[set[bytes]] = []
    for _ in range(2):
        assert (await warm.run(CLEAN)).ok, warm.stderr
        assert json.loads(warm.stdout) == json.loads(docked.stdout)
        random.append(set(warm.stderr.splitlines()))
    constant = any(line.startswith(b"67280421310721 ") for line in random[0])  # as some versions of torch start
    assert len(random[0] | random[1]) == 10 - constant, "every source of randomness starts anew"


async def test_the_same_seed_gives_the_same_numbers_to_the_last_bit(docked: Bench, warm: Bench) -> None:
    cold, other = await both(docked, warm, SAME_NUMBERS)
    assert cold[0] == ("exited", 0, ""), cold[2]
    assert cold == other


@pytest.mark.parametrize("name", ["exception", "syntax", "fault", "finalizers", "processes"])
async def test_a_script_ends_as_from_a_cold_start(docked: Bench, warm: Bench, name: str) -> None:
    cold, other = await both(docked, warm, "# é\n" + ENDINGS[name])
    assert cold == other


@pytest.mark.parametrize(
    ("code", "seconds", "outcome"),
    [
        ("import time; time.sleep(60)", 1, "timeout"),
        ("x = bytearray(400 << 20)", 20, "memory"),
        (
            "import os, time\nfor _ in range(100):\n    if not os.fork():\n        time.sleep(20); os._exit(0)",
            20,
            "pids",
        ),
        ("while True: print('x' * 1000)", 20, "output"),
        ("for i in range(9): open(f'/workspace/out/{i}', 'wb').write(bytes(1 << 20))", 20, "disk"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 20, "killed"),
    ],
)
async def test_limits_hold(warm: Bench, code: str, seconds: float, outcome: str) -> None:
    ending = await warm.run(code, seconds)
    assert ending.outcome == outcome, ending


async def test_waiting_is_not_charged(warm: Bench, pool: Pool) -> None:
    job = warm.job("pass")
    await warm.workspace.prepared(job)  # type: ignore[attr-defined]
    assert pool.shelf is not None
    import_s = Group(pool.shelf.ready[0].identifier).look().cpu_s
    ending = await warm.run("pass")
    assert ending.ok
    assert ending.usage.cpu_s < import_s
    assert ending.usage.peak_memory_mb > 10
