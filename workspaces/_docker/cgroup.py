"""What a container's control group says about it, read by the host; of either version of control groups."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

MB = 1024 * 1024
ROOT = Path("/sys/fs/cgroup")
PLACES = ("docker/{id}", "system.slice/docker-{id}.scope")  # by the engine's driver: cgroupfs, systemd


@dataclass
class Counters:
    """The highest values seen so far; they stay when the group is gone, or cannot be read at all."""

    cpu_s: float = 0.0
    peak_bytes: int = 0
    memory_kills: int = 0
    refused_forks: int = 0


class Group:
    """The control group of one container."""

    def __init__(self, identifier: str, root: Path = ROOT) -> None:
        self.root, self.places = root, [place.format(id=identifier) for place in PLACES]
        self.seen = Counters()

    def look(self) -> Counters:
        """Read it again; what cannot be read keeps its last value."""
        unified = self._folder("")
        if unified is not None:
            self._look_at_unified(unified)
        else:
            self._look_at_hierarchies()
        return self.seen

    def _look_at_unified(self, folder: Path) -> None:
        self._keep(
            cpu_s=value(folder / "cpu.stat", "usage_usec") / 1e6,
            peak_bytes=value(folder / "memory.peak") or value(folder / "memory.current"),
            memory_kills=value(folder / "memory.events", "oom_kill"),
            refused_forks=value(folder / "pids.events", "max"),
        )

    def _look_at_hierarchies(self) -> None:
        memory, processor, pids = (self._folder(name) for name in ("memory", "cpuacct", "pids"))
        if memory is not None:
            peak = value(memory / "memory.max_usage_in_bytes")
            self._keep(peak_bytes=peak, memory_kills=value(memory / "memory.oom_control", "oom_kill"))
        if processor is not None:
            self._keep(cpu_s=value(processor / "cpuacct.usage") / 1e9)
        if pids is not None:
            self._keep(refused_forks=value(pids / "pids.events", "max"))

    def _folder(self, hierarchy: str) -> Path | None:
        found = (self.root / hierarchy / place for place in self.places)
        marks = ("cgroup.controllers",) if not hierarchy else ("cgroup.procs",)
        return next((folder for folder in found if (folder / marks[0]).exists()), None)

    def _keep(self, **values: float) -> None:
        for name, number in values.items():
            setattr(self.seen, name, max(getattr(self.seen, name), number))


def value(file: Path, key: str = "") -> int:
    """The number in a file, or the one behind a key; 0 when there is none."""
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text().splitlines():
            name, _, number = line.rpartition(" ")
            if name == key:
                return int(number)
    return 0
