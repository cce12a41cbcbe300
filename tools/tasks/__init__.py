"""Tasks: find them, load them, and check that one can be trusted."""

from __future__ import annotations

from eidothea.tools.tasks.find import available, load
from eidothea.tools.tasks.task import Task

__all__ = ["Task", "available", "load"]
