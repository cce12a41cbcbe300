"""What every workspace must do, run against all that come with Eidothea; then what an isolating one must do too."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from eidothea import plugins
from eidothea.errors import Missing, WrongUse
from eidothea.protocols import Job, Probe, Workspace
from eidothea.state.task import Limits
from eidothea.state.trial import Ending
from eidothea.workspaces import _choose

KINDS = plugins.names("workspaces")
LIMITS = {"memory_mb": 300, "pids": 20, "disk_mb": 4, "output_mb": 1}


class Bench:
    """One workspace and the folders of a job in it."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace, self.folder = workspace, folder
        self.tree, self.out = folder / "tree", folder / "out"
        self.tree.mkdir(parents=True)
        self.out.mkdir()

    def job(self, code: str, seconds: float = 20, command: str = "python main.py", **more: Any) -> Job:
        (self.tree / "main.py").write_text(code, encoding="utf-8")
        limits = Limits.model_validate(LIMITS | more.pop("limits", {}))
        mounts = {"tree": self.tree} | more.pop("mounts", {})
        stdout, stderr = self.folder / "stdout.log", self.folder / "stderr.log"
        return Job("job", command, mounts, self.out, limits, seconds, stdout, stderr, **more)

    async def run(self, code: str, seconds: float = 20, command: str = "python main.py", **more: Any) -> Ending:
        return await self.workspace.run(self.job(code, seconds, command, **more))

    @property
    def stdout(self) -> bytes:
        return (self.folder / "stdout.log").read_bytes()

    @property
    def stderr(self) -> bytes:
        return (self.folder / "stderr.log").read_bytes()


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(plugins.load("workspaces", request.param)(), tmp_path / "job")


@pytest.fixture(params=[kind for kind in KINDS if plugins.load("workspaces", kind).isolates])
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(plugins.load("workspaces", request.param)(), tmp_path / "job")


def running(marker: str) -> list[int]:
    """Processes of this machine with the marker among their words; zombies do not count."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            if marker in words and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def gone(marker: str, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while running(marker) and time.monotonic() < end:
        time.sleep(0.05)
    return not running(marker)


def test_probe_says_what_works(bench: Bench) -> None:
    probe = type(bench.workspace).probe()
    assert probe.ok, probe.reason
    assert probe.reason
    assert {"time", "memory", "pids", "disk", "output"} <= set(probe.enforces)


async def test_runs_in_the_tree_and_keeps_what_out_holds(bench: Bench) -> None:
    data = bench.folder / "some data"
    data.mkdir()
    (data / "x.txt").write_text("seven")
    code = "import sys, pathlib, os; a = sys.argv; print(os.listdir('.'), a[3])\n"
    code += "pathlib.Path(a[2], 'y.txt').write_text(pathlib.Path(a[1], 'x.txt').read_text())"
    command = "python main.py {data} {out} {seed}"
    ending = await bench.run(code, command=command, mounts={"data": data}, values={"seed": "7"})
    assert ending.ok, bench.stderr
    assert (bench.out / "y.txt").read_text() == "seven"
    assert bench.stdout.decode() == "['main.py'] 7\n"
    assert 0 < ending.usage.cpu_s <= ending.usage.wall_s + 0.5
    assert ending.usage.peak_memory_mb > 3
    assert ending.usage.written_mb > 0


async def test_unknown_name_in_a_command_is_wrong_use(bench: Bench) -> None:
    with pytest.raises(WrongUse, match=r"\{dat\}.*out, tree"):
        await bench.run("", command="python main.py {dat}")


@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(3)", 3), ("1/0", 1), ("import os; os.abort()", 134)])
async def test_exit_codes(bench: Bench, code: str, expected: int) -> None:
    ending = await bench.run(code)
    assert (ending.outcome, ending.exit_code) == ("exited", expected)


async def test_missing_program_is_the_commands_own_fault(bench: Bench) -> None:
    ending = await bench.run("", command="no-such-program --x")
    assert (ending.outcome, ending.exit_code) == ("exited", 127)
    assert b"no-such-program" in bench.stderr


async def test_any_bytes_may_be_printed(bench: Bench) -> None:
    raw = bytes(range(256)) * 3
    ending = await bench.run(f"import sys; sys.stdout.buffer.write({raw!r}); sys.stderr.buffer.write(b'\\xff\\xfe')")
    assert ending.ok
    assert bench.stdout == raw
    assert bench.stderr == b"\xff\xfe"


async def test_nothing_of_the_environment_is_inherited(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIDOTHEA_CANARY", "secret")
    ending = await bench.run("import os, json, sys; print(json.dumps(dict(os.environ))); print(sys.stdin.read())")
    assert ending.ok, bench.stderr
    inside = json.loads(bench.stdout.splitlines()[0])
    assert "EIDOTHEA_CANARY" not in inside
    assert inside["OMP_NUM_THREADS"] == "1"
    assert b"secret" not in bench.stdout


TENACIOUS = """
import os, signal, subprocess, sys, time
marker = sys.argv[1]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
stay = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
subprocess.Popen([sys.executable, "-S", "-c", stay, marker], start_new_session=True, **quiet)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-S", "-c", stay, marker])
    os._exit(0)
print("started", flush=True)
"""


async def test_timeout_leaves_no_process(bench: Bench, request: pytest.FixtureRequest) -> None:
    marker = f"marker-{os.getpid()}-{request.node.name}"
    started = time.monotonic()
    ending = await bench.run(TENACIOUS + "time.sleep(60)", 1.0, f"python main.py '{marker}'")
    assert (ending.outcome, ending.exit_code) == ("timeout", None)
    assert b"started" in bench.stdout
    assert time.monotonic() - started < 5
    assert not running(marker)


async def test_daemons_end_with_the_command(bench: Bench, request: pytest.FixtureRequest) -> None:
    marker = f"marker-{os.getpid()}-{request.node.name}"
    ending = await bench.run(TENACIOUS, 20, f"python main.py '{marker}'")
    assert ending.ok, bench.stderr
    assert not running(marker)


async def test_timeout_counts_the_processor_time(bench: Bench) -> None:
    ending = await bench.run("import time\nwhile time.process_time() < 0.4: pass\ntime.sleep(60)", 3.0)
    assert ending.outcome == "timeout"
    assert ending.usage.cpu_s >= 0.38


async def test_memory_hog(bench: Bench) -> None:
    ending = await bench.run("import time\nx = bytearray(b'1') * (500 << 20)\ntime.sleep(20)")
    assert ending.outcome == "memory"
    assert "300 MB" in ending.detail
    assert ending.usage.peak_memory_mb > 250


async def test_memory_of_children_counts(bench: Bench) -> None:
    code = "import os, time\nfor _ in range(3): os.fork()\nx = bytearray(b'1') * (60 << 20)\ntime.sleep(20)"
    ending = await bench.run(code)
    assert ending.outcome == "memory"


async def test_one_huge_allocation_is_refused_by_the_kernel(bench: Bench) -> None:
    ending = await bench.run("x = bytearray(1 << 40)")
    assert (ending.outcome, ending.exit_code) == ("exited", 1)
    assert b"MemoryError" in bench.stderr


async def test_fork_bomb(bench: Bench) -> None:
    code = "import os, time\nfor _ in range(7): os.fork()\ntime.sleep(30)"
    started = time.monotonic()
    ending = await bench.run(code)
    assert ending.outcome == "pids"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "code",
    [
        "open(out + '/big', 'wb').write(bytes(40 << 20))",
        "[open(f'{out}/{i}', 'wb').write(bytes(1 << 20)) for i in range(40)]; __import__('time').sleep(9)",
        "open(out + '/sparse', 'wb').truncate(1 << 40)",
    ],
)
async def test_disk_overrun(bench: Bench, code: str) -> None:
    ending = await bench.run(f"import sys; out = sys.argv[1]\n{code}", command="python main.py {out}")
    if "sparse" in code:
        assert not ending.ok
        assert sum(file.stat().st_size for file in bench.out.iterdir()) <= 4 << 20
    else:
        assert ending.outcome == "disk", ending


async def test_output_flood(bench: Bench) -> None:
    started = time.monotonic()
    ending = await bench.run("import sys\nwhile True: sys.stdout.write('x' * 10000); sys.stderr.write('y' * 9999)")
    assert ending.outcome == "output"
    assert len(bench.stdout) + len(bench.stderr) == 1 << 20
    assert time.monotonic() - started < 10


async def test_cancelling_kills(bench: Bench, request: pytest.FixtureRequest) -> None:
    marker = f"marker-{os.getpid()}-{request.node.name}"
    job = bench.job(TENACIOUS + "time.sleep(60)", 50, f"python main.py '{marker}'")
    task = asyncio.create_task(bench.workspace.run(job))
    async with asyncio.timeout(20):
        while not bench.folder.joinpath("stdout.log").exists() or b"started" not in bench.stdout:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert running(marker)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running(marker)


async def test_two_jobs_at_once(bench: Bench, tmp_path: Path) -> None:
    other = Bench(bench.workspace, tmp_path / "other")
    code = "import sys, time, pathlib; start = time.monotonic(); time.sleep(1)\n"
    code += "pathlib.Path(sys.argv[1], 'when').write_text(f'{start} {time.monotonic()}')"
    jobs = [b.job(code, 20, "python main.py {out}") for b in (bench, other)]
    endings = await asyncio.gather(*(bench.workspace.run(job) for job in jobs))
    assert all(ending.ok for ending in endings)
    times = [[float(t) for t in (b.out / "when").read_text().split()] for b in (bench, other)]
    assert max(start for start, _ in times) < min(end for _, end in times)


async def test_limits_hold_while_the_event_loop_is_busy(bench: Bench) -> None:
    task = asyncio.create_task(bench.run("import time; time.sleep(60)", 0.5))
    await asyncio.sleep(0.1)
    time.sleep(1.5)  # noqa: ASYNC251 - the point of the test
    ending = await task
    assert ending.outcome == "timeout"
    assert ending.usage.wall_s < 1.5


PARENT = """
import asyncio, sys
from pathlib import Path
from eidothea import plugins
from eidothea.protocols import Job
from eidothea.state.task import Limits
folder = Path(sys.argv[2])
job = Job("job", "python main.py " + sys.argv[3], {"tree": folder / "tree"}, folder / "out", Limits(), 60,
          folder / "stdout.log", folder / "stderr.log")
asyncio.run(plugins.load("workspaces", sys.argv[1])().run(job))
"""


def test_kill_9_of_the_parent_leaves_nothing_running(bench: Bench, request: pytest.FixtureRequest) -> None:
    marker = f"marker-{os.getpid()}-{request.node.name}"
    bench.job(TENACIOUS + "time.sleep(60)")
    # The marker of the parent itself must differ, or it would be counted.
    words = [sys.executable, "-c", PARENT, bench.workspace.name, str(bench.folder), f"'{marker}'"]
    parent = subprocess.Popen(words, start_new_session=True)
    try:
        end = time.monotonic() + 20
        while len(running(marker)) < 3 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(running(marker)) >= 3
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
    assert gone(marker)


def test_choose_never_falls_back_to_no_isolation(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, reason = _choose.choose("auto")
    assert workspace.isolates
    assert reason
    assert _choose.choose("process")[0].name == "process"
    with pytest.raises(WrongUse, match="bubblewrap, process"):
        _choose.choose("bubblewarp")
    cls = plugins.load("workspaces", "bubblewrap")
    monkeypatch.setattr(cls, "probe", classmethod(lambda _: Probe(False, "namespaces are refused")))
    with pytest.raises(Missing, match="namespaces are refused"):
        _choose.choose("auto")


# Isolation


async def evaluate(sealed: Bench, code: str, **more: Any) -> Any:
    """What the last expression of the code gives inside, through JSON."""
    *body, last = code.strip().splitlines()
    ending = await sealed.run("\n".join([*body, "import json", f"print(json.dumps({last}))"]), **more)
    assert ending.ok, sealed.stderr.decode()
    return json.loads(sealed.stdout.splitlines()[-1])


async def test_mounts_and_system_are_read_only(sealed: Bench) -> None:
    data = sealed.folder / "data"
    data.mkdir()
    (data / "x").write_text("1")
    places = ["/workspace/tree/new", "/workspace/data/x", "/workspace/new", "/usr/new", "/etc/new", "/new", "/dev/new"]
    places += [f"{sys.base_prefix}/new", "/opt/new", "/proc/sys/kernel/core_pattern"]
    code = f"""
def writable(path):
    try:
        open(path, "w").close()
        return True
    except OSError:
        return False
[p for p in {places!r} if writable(p)]
"""
    assert await evaluate(sealed, code, mounts={"data": data}) == []
    assert await evaluate(sealed, code.replace(repr(places), "['/tmp/a', '/workspace/out/a']")) == [
        "/tmp/a",
        "/workspace/out/a",
    ]


async def test_no_network(sealed: Bench) -> None:
    code = """
import socket
def reach(host, port):
    try:
        socket.create_connection((host, port), 2).close()
        return True
    except OSError as error:
        return False
def resolve():
    try:
        return socket.gethostbyname("example.org")
    except OSError:
        return None
[[n for _, n in socket.if_nameindex()], reach("1.1.1.1", 53), reach("169.254.169.254", 80), resolve()]
"""
    assert await evaluate(sealed, code) == [["lo"], False, False, None]
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await evaluate(sealed, code.replace('"1.1.1.1", 53', f'"127.0.0.1", {port}')))[1] is False


async def test_no_secret_in_proc(sealed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIDOTHEA_CANARY", "kanarienvogel")
    code = """
import glob
def read(path):
    try:
        return open(path, "rb").read().decode(errors="replace")
    except OSError:
        return ""
seen = {path: read(path) for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline")}
[len(seen), [path for path, text in seen.items() if "kanarienvogel" in text]]
"""
    number, found = await evaluate(sealed, code)
    assert number >= 4
    assert found == []


async def test_no_way_to_eidothea_or_this_machines_files(sealed: Bench, tmp_path: Path) -> None:
    import eidothea

    assert eidothea.__file__ is not None
    package = Path(eidothea.__file__).resolve().parent
    paths = [tmp_path / "ledger.db", package / "protocols.py", package / "experiments/tasks", Path(__file__)]
    paths += [package.parent.parent / "tests", Path.home() / ".bashrc", Path("/etc/passwd"), Path("/sys/fs/cgroup")]
    (tmp_path / "ledger.db").write_text("x")
    code = f"""
import os, importlib, glob, sys
def importable(name):
    try:
        importlib.import_module(name)
        return True
    except ImportError:
        return False
names = ["eidothea.protocols", "eidothea.experiments.tasks", "eidothea.tools.trials", "eidothea.workspaces"]
seen = [p for p in {[str(path) for path in paths]!r} if os.path.exists(p)]
mounts = [line.split()[1] for line in open("/proc/self/mounts")]
held = [name for folder in sys.path[2:] for name in glob.glob(folder + "/eidothea/*")]
[seen, [n for n in names if importable(n)], held, mounts, sorted(os.listdir("/workspace"))]
"""
    seen, importable, held, mounted, listed = await evaluate(sealed, code)
    assert seen == []
    assert importable == []
    assert held == []
    assert listed == ["out", "tree"]
    allowed = ["/usr", "/etc", "/proc", "/dev", "/tmp", "/workspace", "/opt/eidothea-lab", "/lib", "/bin", "/sbin"]
    allowed += [sys.base_prefix, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    assert [m for m in mounted if m != "/" and not any(f"{m}/".startswith(f"{a}/") for a in allowed)] == []


async def test_the_lab_and_the_packages_are_there(sealed: Bench) -> None:
    code = """
import eidothea.experiments.lab as lab, numpy, os
[list(lab.__path__), os.path.isdir(list(lab.__path__)[0])]
"""
    paths, there = await evaluate(sealed, code)
    assert there
    assert all("eidothea/experiments/lab" in path for path in paths)


async def test_no_rights_and_no_nested_namespaces(sealed: Bench) -> None:
    code = """
import ctypes, os
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
[status["CapEff"], status["CapBnd"], status["NoNewPrivs"], ctypes.CDLL(None).unshare(0x10000000), os.getppid()]
"""
    effective, bounding, no_new, unshared, _ = await evaluate(sealed, code)
    assert int(effective, 16) == int(bounding, 16) == 0
    assert no_new == "1"
    assert unshared == -1


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
async def test_scratch_space_is_bounded(sealed: Bench, folder: str) -> None:
    code = f"""
def fill():
    written = 0
    try:
        for i in range(400):
            with open(f"{folder}/{{i}}", "wb") as file:
                written += file.write(bytes(1 << 20))
    except OSError:
        pass
    return written
fill()
"""
    assert await evaluate(sealed, code) <= 64 << 20


async def test_a_run_folder_in_sight_of_candidates_is_refused(sealed: Bench, tmp_path: Path) -> None:
    job = sealed.job("")
    job.mounts["data"] = Path("/usr/share")
    ending = await sealed.workspace.run(job)
    assert ending.outcome == "infrastructure"
    assert "/usr" in ending.detail


Change = Callable[[pytest.MonkeyPatch], None]


def no_program(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("eidothea.workspaces.bubblewrap.binary", lambda: "/nonexistent/bwrap")


def no_namespaces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("eidothea.workspaces.bubblewrap.ISOLATION", ("--unshare-user", "--ro-bind", "/nonexistent", "/x"))


@pytest.mark.parametrize("change", [no_program, no_namespaces])
async def test_trouble_of_bwrap_is_never_the_candidates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    bench = Bench(plugins.load("workspaces", "bubblewrap")(), tmp_path / "job")
    change(monkeypatch)
    ending = await bench.run("")
    assert ending.outcome == "infrastructure"
    assert "nonexistent" in ending.detail
    assert not type(bench.workspace).probe().ok
