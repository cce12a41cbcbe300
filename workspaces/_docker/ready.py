"""A container that is started ahead, has imported torch and the lab, and waits for its one job."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eidothea.protocols import Job
from eidothea.state.trial import Ending
from eidothea.workspaces import _warm
from eidothea.workspaces._docker import leftovers, order, pipes
from eidothea.workspaces._docker.cgroup import Group
from eidothea.workspaces._docker.engine import Trouble, asking
from eidothea.workspaces._docker.image import Image
from eidothea.workspaces._docker.staging import Staging
from eidothea.workspaces._docker.supervise import Supervisor
from eidothea.workspaces._warm.root import FILES, IMPORTS, lab_modules

if TYPE_CHECKING:
    from io import FileIO

    from docker import APIClient

    from eidothea.workspaces._docker.pipes import Pipes

READY_S = 120.0  # a container that has not imported everything by then never will
POLL_S = 0.05


class Ready:
    """One waiting container with its folders and pipes. It ends with `close`, or with this process."""

    def __init__(self, client: APIClient, image: Image, like: Job, beside: Path) -> None:
        """Starts a container with the limits and the run of a job. Raises Trouble or OSError when it cannot."""
        self.image, self.modules, self.identifier = image, frozenset[str](), ""
        self.staging = Staging(beside)
        try:
            self.pipes = pipes.Pipes(self.staging.folder, order.user(), waits=True)
        except OSError:
            self.staging.close()
            raise
        try:
            if os.geteuid() == 0:
                os.chown(self.staging.out, order.user(), -1)
            self._start(client, like)
        except BaseException:
            self.close(client)
            raise

    def _start(self, client: APIClient, like: Job) -> None:
        here = Path(_warm.__file__).parent
        for file in (
            *(here / name for name in FILES),
            here.parent / "_launch.py",
            Path(__file__).parent / "waiting.py",
        ):
            shutil.copyfile(file, self.pipes.folder / file.name)
            (self.pipes.folder / file.name).chmod(0o644)
        command = ["python3", f"{pipes.INSIDE}/waiting.py", *IMPORTS, *lab_modules()]
        labels = {name: text for name, text in like.labels.items() if name == "run"}
        waits = replace(
            like, id="warm", command=" ".join(command), mounts={}, out=self.staging.out, labels=labels, values={}
        )
        with asking("make a container"):
            self.identifier = order.create(
                client, waits, self.image, self.pipes.folder, leftovers.labels(waits), [], self.staging.workspace
            )
        with asking("start a container"):
            client.start(self.identifier)

    def wait(self, client: APIClient, stop: threading.Event) -> None:
        """Until everything is imported. Raises Trouble when that will not be."""
        said, end = b"", time.monotonic() + READY_S
        while not said.endswith(b"\n"):
            stop.wait(POLL_S)
            try:
                said += os.read(self.pipes.open["ready"], 1 << 16)
            except BlockingIOError:
                pass
            if stop.is_set() or time.monotonic() > end or not self.alive(client):
                raise Trouble("a waiting container did not get ready")
        self.modules = frozenset(json.loads(said))

    def alive(self, client: APIClient) -> bool:
        """Whether it runs."""
        try:
            with asking("tell whether a container runs"):
                return bool(client.inspect_container(self.identifier)["State"]["Running"])
        except Trouble:
            return False

    def go(self, words: list[str]) -> None:
        """Have it run the script of the job that was put in."""
        os.write(self.pipes.open["order"], json.dumps(words).encode() + b"\n")

    def close(self, client: APIClient | None) -> None:
        """Remove it and its folders; without an engine its end is left to the closing of its pipes."""
        self.pipes.close()
        try:
            if self.identifier and client is not None:
                leftovers.remove(client, self.identifier)
        finally:
            self.staging.close()


class WarmSupervisor(Supervisor):
    """Runs a job in a waiting container, into which it has been put, and takes its results back."""

    def __init__(self, job: Job, ready: Ready, supervisor: Supervisor) -> None:
        super().__init__(replace(job, out=ready.staging.out), ready.image, [], supervisor.abandon)
        self.stop = supervisor.stop
        self.ready, self.out, self.removed = ready, job.out, False

    def run(self) -> Ending:
        """See `Supervisor.run`."""
        try:
            return super().run()
        finally:
            if not self.removed:
                self.abandon(self.ready.identifier)
            self.ready.staging.take_back(self.out)
            self.ready.close(None)

    def _pipes(self) -> Pipes:
        return self.ready.pipes

    def _contained(self, client: APIClient, pipes: Pipes, logs: dict[str, FileIO]) -> Ending:
        identifier = self.ready.identifier
        self.cpu_before_s = Group(identifier).look().cpu_s
        try:
            self.ready.go(order.inside_words(self.job))
            return self._supervise(client, identifier, pipes, logs)
        finally:
            self._remove(client, identifier)
            self.removed = True  # or abandoned
