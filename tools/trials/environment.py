"""Where trials run: what decides whether two of them may be compared."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable
from importlib import metadata, resources
from pathlib import Path

from eidothea.protocols import Workspace
from eidothea.state.base import digest
from eidothea.state.task import Limits
from eidothea.state.trial import Environment

PACKAGES = ("torch", "numpy", "safetensors", "eidothea")


@functools.cache
def environment(workspace: str) -> Environment:
    """This machine, as far as it bears on results, for a place where trials run."""
    return Environment(
        python=platform.python_version(), packages=_versions(), cpu=_cpu_model(), gpu="", workspace=workspace
    )


def place(workspace: Workspace, limits: Limits) -> str:
    """What to call the place where a workspace runs such jobs: its kind, or what it says about itself.

    Raises Missing when that cannot be known now.
    """
    tell: Callable[[Limits], str] | None = getattr(workspace, "place", None)
    return workspace.name if tell is None else tell(limits)


def _versions() -> dict[str, str]:
    found = {"eidothea-lab": lab_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(models)} x {models[0]}" if models else platform.machine()


@functools.cache
def lab_version() -> str:
    """A digest of the laboratory's code: candidates and data makers import it, so it bears on results."""
    lab = Path(str(resources.files("eidothea.experiments.lab")))
    files = {str(file.relative_to(lab)): file.read_text(encoding="utf-8") for file in sorted(lab.rglob("*.py"))}
    return digest(files, length=12)
