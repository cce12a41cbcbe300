"""What a container and its supervisor tell each other: named pipes in a folder that the container sees read-only.

The engine's own log drivers and streams are left alone: they keep everything a candidate prints, or hang when nobody
reads. A pipe holds 64 KiB, and then the candidate waits.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

INSIDE = "/run/eidothea"
READ = ("stdout", "stderr", "done")  # `done` rings when the command has ended, whoever rings it
HELD = ("go", "life")  # closing `go` lets the container end; `life` is closed by our death
WAITS = ("ready", "order")  # more of them for a container that waits for its job: one is READ, one HELD
# Everything is started by a shell: it connects the pipes and limits address space, which the engine cannot. The
# candidate may kill or fool it: it would only end its own trial. `go` is opened early: nobody waits for late readers.
SCRIPT = f"""
test "$1" = 0 || ulimit -v "$1"
shift
(read -r _ <{INSIDE}/life; kill -9 -1) &
exec 3<{INSIDE}/go
"$@" 3<&- </dev/null >{INSIDE}/stdout 2>{INSIDE}/stderr
code=$?
echo >{INSIDE}/done
read -r _ <&3
exit $code
"""


class Pipes:
    """The pipes of one job; closing removes them."""

    def __init__(self, beside: Path, owner: int, waits: bool = False) -> None:
        self.outer = Path(tempfile.mkdtemp(prefix=".pipes-", dir=beside))  # closed to other users of this machine
        self.folder = self.outer / "pipes"
        self.open: dict[str, int] = {}
        try:
            self.folder.mkdir()
            self.folder.chmod(0o755)
            for name in (*READ, *HELD, *(WAITS if waits else ())):
                self._make(name, owner)
        except OSError:
            self.close()
            raise

    def _make(self, name: str, owner: int) -> None:
        path = self.folder / name
        os.mkfifo(path, 0o600)
        if owner != os.geteuid():
            os.chown(path, owner, owner)
        # Opened for both, a pipe does not wait for its other end.
        self.open[name] = os.open(
            path, (os.O_RDONLY if name in (*READ, WAITS[0]) else os.O_RDWR) | os.O_NONBLOCK | os.O_CLOEXEC
        )

    def release(self) -> None:
        """Let the container end."""
        self._shut("go")

    def _shut(self, name: str) -> None:
        if name in self.open:
            os.close(self.open.pop(name))

    def close(self) -> None:
        for name in list(self.open):
            self._shut(name)
        shutil.rmtree(self.outer, ignore_errors=True)
