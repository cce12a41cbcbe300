"""Scripts that show what a job finds, leaves, computes and how it ends; for comparing warm starts with cold ones."""

from __future__ import annotations

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
