"""A plain-text journal in the run's folder: one line per completed trial, whatever becomes of the database."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path


class Journal:
    """`journal.jsonl` of a run. Lines are appended whole; a torn last line is ignored when read."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "journal.jsonl"

    def append(self, trial: str, score: float | None) -> None:
        line = json.dumps({"trial": trial, "score": score, "at": round(time.time(), 3), "pid": os.getpid()})
        with self.file.open("a", encoding="utf-8") as out:
            out.write(line + "\n")

    def trials(self) -> list[str]:
        """The trials in the order they completed."""
        if not self.file.exists():
            return []
        found = []
        for line in self.file.read_text(encoding="utf-8").splitlines():
            try:
                found.append(str(json.loads(line)["trial"]))
            except (ValueError, KeyError):
                continue
        return found
