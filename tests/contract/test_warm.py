"""Warm starts: a script must see and do what it would from a cold start, and nothing may be left of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from bench import Bench
from warm import EagerBubblewrap

from eidothea.workspaces.bubblewrap import BubblewrapWorkspace, Sandbox

SURROUNDINGS = """
import torch, numpy
import ctypes, json, os, pathlib, platform, resource, sys, signal, socket, threading
status = dict(line.rstrip("\\n").partition(":\\t")[::2] for line in open("/proc/self/status"))
kept = "Umask Uid Gid Groups Threads SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp".split()
print(json.dumps({
    "environment": dict(os.environ), "argv": sys.argv, "path": sys.path, "orig_argv": sys.orig_argv,
    "flags": str(sys.flags), "executable": sys.executable, "main": {k: str(v) for k, v in globals().items()
        if k.startswith("__") and k not in ("__loader__", "__warningregistry__")}, "loader": type(__loader__).__name__,
    "cmdline": open("/proc/self/cmdline").read(), "environ": open("/proc/self/environ").read(),
    "exe": os.readlink("/proc/self/exe"), "comm": open("/proc/self/comm").read(), "cwd": os.getcwd(),
    "status": {name: status.get(name) for name in kept}, "filters": status.get("Seccomp_filters"),
    "descriptors": sorted(fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")),
    "kinds": [os.readlink(f"/proc/self/fd/{fd}").partition(":")[0] for fd in range(3)],
    "limits": {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT")},
    "mounts": [line.split()[4:6] for line in open("/proc/self/mountinfo")],
    "places": {place: sorted(os.listdir(place)) for place in ("/", "/workspace", "/tmp", "/dev", "/dev/shm", "/opt", "/etc")},
    "host": socket.gethostname(), "nice": os.nice(0), "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "subreaper": ctypes.CDLL(None).prctl(37, ctypes.byref(ctypes.c_int()), 0, 0, 0), "processors": os.cpu_count(),
    "pdeathsig": (lambda n: (ctypes.CDLL(None).prctl(2, ctypes.byref(n), 0, 0, 0), n.value))(ctypes.c_int()),
    "oom": open("/proc/self/oom_score_adj").read(), "threads": [threading.active_count(), torch.get_num_threads()],
    "interop": torch.get_num_interop_threads(),
    "hash": hash("x"), "namespaces": sorted(os.listdir("/proc/self/ns")), "stdout": [sys.stdout.encoding, sys.stdout.errors,
        sys.stdout.line_buffering, sys.stdout.buffer.raw.name], "stderr": [sys.stderr.errors, sys.stderr.line_buffering],
    "main_module": sys.modules["__main__"].__dict__ is globals(), "original": __import__("multiprocessing.process").process.ORIGINAL_DIR,
    "exe_read_only": bool(os.statvfs("/proc/self/exe").f_flag & os.ST_RDONLY), "affinity": sorted(os.sched_getaffinity(0)),
    "handlers": {str(n): str(signal.getsignal(n)).partition(" at 0x")[0] for n in signal.valid_signals()},
    "excepthook": sys.excepthook is sys.__excepthook__,
    "maxfd": resource.getrlimit(resource.RLIMIT_NOFILE), "user": os.environ["USER"], "platform": platform.node(),
}))
"""  # noqa: E501


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Bench, Bench]:
    """A cold and a warm workspace."""
    return Bench(BubblewrapWorkspace(), tmp_path / "cold"), Bench(EagerBubblewrap(), tmp_path / "warm")


Pair = tuple[Bench, Bench]


async def both(pair: Pair, code: str, **more: Any) -> list[tuple[Any, bytes, bytes]]:
    """How it ended, and what it printed, cold and warm."""
    found = []
    for bench in pair:
        ending = await bench.run(code, seconds=90, **more)
        printed = [re.sub(rb" at 0x[0-9a-f]+", b"", text) for text in (bench.stdout, bench.stderr)]
        found.append(((ending.outcome, ending.exit_code, ending.detail), printed[0], printed[1]))
    return found


async def test_a_script_finds_what_it_would_from_a_cold_start(pair: Pair) -> None:
    cold, warm = await both(pair, SURROUNDINGS, command="python main.py --x 'a b'")
    assert cold[0] == ("exited", 0, ""), cold
    assert warm[0] == ("exited", 0, ""), warm
    seen = [json.loads(out) for _, out, _ in (cold, warm)]
    different = {name: (seen[0][name], seen[1][name]) for name in seen[0] if seen[0][name] != seen[1][name]}
    assert different == {}, json.dumps(different)


DIRTY = r"""
import torch, numpy, random, os, sys, signal, threading, time, atexit, builtins, socket, tempfile, ctypes, json
for seed in (torch.manual_seed, numpy.random.seed, random.seed):
    seed(7)
torch.set_default_dtype(torch.float64); torch.marked = numpy.marked = builtins.marked = json.marked = True
torch.nn.Linear.forward = None; sys.modules["left_over"] = torch; sys.path.append("/tmp/evil"); sys.setrecursionlimit(99)
os.environ["LEFT_OVER"] = "1"; os.putenv("LEFT_OVER", "1"); ctypes.CDLL(None).setenv(b"LEFT_OVER", b"1", 1)
for folder in ("/tmp", "/dev/shm", "/workspace/out"):
    open(folder + "/left-over", "w").write("x")
opened = [os.open("/tmp/left-over", os.O_RDONLY) for _ in range(20)]
server = socket.socket(socket.AF_UNIX); server.bind("\0left-over"); server.listen()
signal.signal(signal.SIGUSR1, lambda *_: None); signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); signal.alarm(50)
os.chdir("/tmp"); os.umask(0o777); os.nice(5); atexit.register(print, "left over")
threading.Thread(target=time.sleep, args=(50,), daemon=True).start()
ctypes.CDLL(None).shmget(99, 4096, 0o1666); os.nice(3)
if os.fork() == 0:
    os.setsid(); time.sleep(50)
"""  # noqa: E501

CLEAN = r"""
import torch, numpy, random, os, sys, signal, threading, builtins, socket, json, ctypes
def connects():
    try:
        socket.socket(socket.AF_UNIX).connect("\0left-over")
        return True
    except OSError:
        return False
print(json.dumps({
    "dtype": str(torch.get_default_dtype()), "forward": torch.nn.Linear.forward is None, "path": sys.path[-1] == "/tmp/evil",
    "marked": [hasattr(thing, "marked") for thing in (torch, numpy, builtins, json)], "module": "left_over" in sys.modules,
    "recursion": sys.getrecursionlimit(), "environment": [os.environ.get("LEFT_OVER"), os.getenv("LEFT_OVER")],
    "getenv": bool(ctypes.CDLL(None).getenv(b"LEFT_OVER")), "tmp": os.listdir("/tmp"), "shm": os.listdir("/dev/shm"),
    "out": os.listdir("/workspace/out"), "fds": len([fd for fd in range(3, 500) if os.path.exists(f"/proc/self/fd/{fd}")]),
    "socket": connects(), "handlers": [str(signal.getsignal(signal.SIGUSR1)), str(signal.getsignal(signal.SIGTERM))],
    "blocked": [int(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, [])], "alarm": signal.alarm(0), "cwd": os.getcwd(),
    "umask": os.umask(0o22), "nice": os.nice(0), "threads": len(os.listdir("/proc/self/task")), "shmget":
    ctypes.CDLL(None).shmget(99, 4096, 0o666), "processes": len([p for p in os.listdir("/proc") if p.isdigit()]),
}))
print(torch.initial_seed(), torch.rand(4).tolist(), file=sys.stderr)
print(numpy.random.rand(4).tolist(), file=sys.stderr)
print([random.random() for _ in range(4)], file=sys.stderr)
print(numpy.random.default_rng().random(4).tolist(), file=sys.stderr)
print(__import__("multiprocessing").current_process().authkey.hex(), file=sys.stderr)
"""  # noqa: E501


async def test_nothing_passes_from_one_job_to_the_next(pair: Pair) -> None:
    cold, warm = pair
    assert (await cold.run(CLEAN, 90)).ok, cold.stderr
    expected = json.loads(cold.stdout)
    expected["processes"] += 1  # the one that holds the sandbox open
    assert (await warm.run(DIRTY)).ok, warm.stderr
    assert warm.stdout == b"left over\n"
    (warm.out / "left-over").unlink()
    random: list[set[bytes]] = []
    for _ in range(2):
        assert (await warm.run(CLEAN)).ok, warm.stderr
        assert json.loads(warm.stdout) == expected
        random.append(set(warm.stderr.splitlines()))
    constant = any(line.startswith(b"67280421310721 ") for line in random[0])  # as some versions of torch start
    assert len(random[0] | random[1]) == 10 - constant, "every source of randomness starts anew"


SAME_NUMBERS = """
import numpy, random, sys, torch
from eidothea.experiments.lab.policy.tiny_gpt import TinyGPT
torch.manual_seed(3); numpy.random.seed(3); random.seed(3)
net = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.GELU(), torch.nn.Linear(256, 1))
step = torch.optim.AdamW(net.parameters())
data = torch.randn(512, 64)
for _ in range(20):
    rows = data[torch.randperm(512)[:128]]
    loss = (net(rows).squeeze(1) - rows.sum(1)).square().mean()
    step.zero_grad(); loss.backward(); step.step()
wide = numpy.random.rand(300, 300).astype("float32")
sys.stdout.buffer.write(net(data).detach().numpy().tobytes() + (wide @ wide.T).tobytes() + repr(random.random()).encode())
print(torch.get_num_threads(), {name for name in ("a", "b", "c")}, file=sys.stderr)
"""  # noqa: E501


@pytest.mark.parametrize("cpus", [1, 2])
async def test_the_same_seed_gives_the_same_numbers_to_the_last_bit(pair: Pair, cpus: int) -> None:
    cold, warm = await both(pair, SAME_NUMBERS, limits={"cpus": cpus, "memory_mb": 600, "output_mb": 4})
    assert cold[0] == ("exited", 0, ""), cold[2]
    assert cold == warm
    assert warm[2].startswith(b"%d " % cpus)


ENDINGS = {
    "exception": "def f(x):\n    return 1 / x\nf(0)",
    "chain": "try:\n    {}[1]\nexcept KeyError as e:\n    raise ValueError('x') from e",
    "group": "raise ExceptionGroup('several', [ValueError(1), TypeError('é')])",
    "own hook": "import sys\nsys.excepthook = lambda *a: print('hooked', a[1], a[2].tb_lineno)\n1/0",
    "bad hook": "import sys\nsys.excepthook = lambda *a: 1 / 0\nraise KeyError('x')",
    "syntax": "def f(:\n    pass",
    "syntax in a module": "import sys; sys.path[0] = '/tmp'\nopen('/tmp/broken.py', 'w').write('x = (')\nimport broken",
    "evaluated syntax": "eval('1 +')",
    "no module": "import not_here",
    "status": "raise SystemExit(7)",
    "message": "import sys; sys.exit('a message')",
    "large status": "raise SystemExit(1000)",
    "none": "raise SystemExit",
    "recursion": "def f(): f()\ntry:\n    f()\nexcept RecursionError as e: print('deep', e)",
    "abort": "import os; print('lost?'); os.abort()",
    "fault": "import os, signal; print('x', flush=True); os.kill(os.getpid(), signal.SIGSEGV)",
    "at once": "import os; print('not flushed'); os._exit(4)",
    "unclosed": "import sys; f = open('/workspace/out/f', 'w'); f.write('kept'); print('x', end='')",
    "finalizers": "import weakref, atexit\nclass C:\n    def __del__(self): print('deleted')\n"
    "c = C(); c.c = c; weakref.finalize(C, print, 'finalized'); atexit.register(print, 'at exit')",
    "threads": "import threading, time\ndef f(): time.sleep(.2); print('late')\nthreading.Thread(target=f).start()",
    "in a thread": "import threading\nthreading.Thread(target=lambda: 1 / 0, name='t').start()",
    "at exit": "import atexit\natexit.register(lambda: 1 / 0)",
    "warning": "import warnings\nwarnings.warn('beware')",
    "closed output": "import sys; print('x'); sys.stdout.close()",
    "pickle": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))), A.__module__)",
    "processes": "import multiprocessing as m\ndef f(x): return x * x\n"
    "if __name__ == '__main__':\n    for how in ('fork', 'spawn'):\n"
    "        with m.get_context(how).Pool(2) as pool: print(pool.map(f, [1, 2, 3]))",
    "own modules": "import os; open('/tmp/helper.py', 'w').write('import sys; print(__name__, sys.argv)')\n"
    "import sys; sys.path.insert(0, '/tmp'); import helper, inspect; print(inspect.getsource(helper))",
}


@pytest.mark.parametrize("name", ENDINGS)
async def test_a_script_ends_as_from_a_cold_start(pair: Pair, name: str) -> None:
    cold, warm = await both(pair, "# é\n" + ENDINGS[name])
    assert cold == warm
    kept = [{file.name: file.read_bytes() for file in bench.out.iterdir()} for bench in pair]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("name", ["random.py", "numpy", "torch.cpython-311-x86_64-linux-gnu.so", "json.py"])
async def test_a_tree_that_covers_a_ready_made_module_starts_cold(pair: Pair, name: str) -> None:
    warm = BubblewrapWorkspace(warm=True)
    warm.pool = EagerBubblewrap().pool
    assert warm.pool is not None
    bench = pair[1]
    bench.workspace = warm
    job = bench.job("import sys; print('torch' in sys.modules)")
    warm.pool.server(Sandbox.of(job).settings, wait=True)
    assert (await warm.run(job)).ok
    assert bench.stdout == b"True\n"
    path = bench.tree / name
    path.write_text("covered = True\n") if "." in name else path.mkdir()
    assert (await warm.run(job)).ok
    assert bench.stdout == b"False\n"


async def test_what_is_no_plain_script_starts_cold(pair: Pair) -> None:
    bench = pair[1]
    job = bench.job("")
    (bench.tree / "link.py").symlink_to("main.py")
    for command in (
        "python -c 1",
        "python -m main",
        "true",
        "python /usr/x.py",
        "python ../tree/main.py",
        "python link.py",
    ):
        other = bench.job("", command=command)
        assert not Sandbox.of(other).runs_script(other), command
    assert Sandbox.of(job).runs_script(job)


async def test_a_script_that_imports_nothing_slow_needs_no_server(tmp_path: Path) -> None:
    workspace = BubblewrapWorkspace(warm=True)
    assert workspace.pool is not None
    assert (await Bench(workspace, tmp_path / "job").run("import json")).ok
    assert not workspace.pool.servers
    await workspace.close()


async def test_jobs_start_cold_until_the_server_is_ready_and_after_it_died(tmp_path: Path) -> None:
    workspace = BubblewrapWorkspace(warm=True)
    assert workspace.pool is not None
    bench = Bench(workspace, tmp_path / "job")
    job = bench.job("import sys; print('torch' in sys.modules)")
    try:
        for expected in (b"False\n", b"True\n"):
            assert (await workspace.run(job)).ok
            assert bench.stdout == expected
            server = workspace.pool.server(Sandbox.of(job).settings, wait=True)
            assert server is not None
        os.kill(server.pid, signal.SIGKILL)
        server.thread.join(10)
        assert (await workspace.run(job)).ok
        assert bench.stdout == b"False\n"
        assert workspace.pool.server(Sandbox.of(job).settings, wait=True) is not None
    finally:
        await workspace.close()


async def test_a_server_that_dies_takes_its_jobs_with_it_and_that_is_trouble_of_the_workspace(tmp_path: Path) -> None:
    workspace = BubblewrapWorkspace(warm=True)
    assert workspace.pool is not None
    bench = Bench(workspace, tmp_path / "job")
    job = bench.job("import os, time; print('here', flush=True); time.sleep(60)  # torch")
    server = workspace.pool.server(Sandbox.of(job).settings, wait=True)
    assert server is not None
    import asyncio

    task = asyncio.create_task(workspace.run(job))
    try:
        async with asyncio.timeout(20):
            while not bench.folder.joinpath("stdout.log").exists() or not bench.stdout:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        os.kill(server.pid, signal.SIGKILL)
        ending = await task
        assert ending.outcome == "infrastructure", ending
    finally:
        await workspace.close()


def below(pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


async def test_closing_ends_the_server(tmp_path: Path) -> None:
    workspace = BubblewrapWorkspace(warm=True)
    assert workspace.pool is not None
    job = Bench(workspace, tmp_path / "job").job("")
    server = workspace.pool.server(Sandbox.of(job).settings, wait=True)
    assert server is not None
    processes = below(server.pid)
    assert len(processes) >= 3
    await workspace.close()
    assert not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


PARENT = """
import asyncio, sys
from pathlib import Path
from eidothea.protocols import Job
from eidothea.state.task import Limits
from eidothea.workspaces.bubblewrap import BubblewrapWorkspace, Sandbox
folder = Path(sys.argv[1])
job = Job("job", "python main.py", {"tree": folder / "tree"}, folder / "out", Limits(), 60, folder / "o", folder / "e")
workspace = BubblewrapWorkspace(warm=True)
server = workspace.pool.server(Sandbox.of(job).settings, wait=True)
print(server.pid, flush=True)
asyncio.run(workspace.run(job))
"""


def test_kill_9_of_the_parent_leaves_neither_server_nor_job(tmp_path: Path) -> None:
    bench = Bench(BubblewrapWorkspace(), tmp_path / "job")
    bench.job("import os, time; os.fork(); open(f'/workspace/out/{os.getpid()}', 'w'); time.sleep(60)  # torch")
    words = [sys.executable, "-c", PARENT, str(bench.folder)]
    with subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        end = time.monotonic() + 20
        while len(list(bench.out.iterdir())) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        processes = below(server)
        assert len(processes) >= 8
        os.killpg(parent.pid, signal.SIGKILL)
    while any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes) and time.monotonic() < end:
        time.sleep(0.02)
    assert not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


async def test_memory_of_the_server_is_not_charged_beyond_what_an_import_costs(pair: Pair) -> None:
    code = "import torch, time\nx = torch.ones(20 << 18)\ntime.sleep(0.5)"
    cold, warm = [(await bench.run(code, limits={"memory_mb": 600})).usage.peak_memory_mb for bench in pair]
    assert 20 < warm <= cold
