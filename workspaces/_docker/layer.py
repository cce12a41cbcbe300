"""The packages that a candidate asks for, put on top of an image before its code runs without network.

Only wheels, from one index, each with its version and without what it depends on: nothing of a package runs while it is
installed, and nothing but what was asked for gets in.
"""

from __future__ import annotations

import contextlib
import io
import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from eidothea import settings
from eidothea.state.base import digest
from eidothea.workspaces._docker import build, engine
from eidothea.workspaces._docker.image import LABEL, PACKAGES_LABEL, PYTHON_LABEL, Image

if TYPE_CHECKING:
    from docker import APIClient

FOLDER = "/opt/requirements"
DOCKERFILE = f"""
ARG BASE
FROM ${{BASE}}
ARG INDEX
COPY requirements.txt ca.crt {FOLDER}-build/
RUN python3 -m pip install --no-cache-dir --no-deps --only-binary :all: --target {FOLDER} --retries 2 --timeout 30 \\
    --disable-pip-version-check --root-user-action ignore --cert {FOLDER}-build/ca.crt \\
    --index-url "$INDEX" -r {FOLDER}-build/requirements.txt
"""
# What pip says of an index that it cannot reach; it then goes on as if the index held nothing.
OUT_OF_REACH = ("Retrying (Retry", "Could not fetch URL", "No module named pip")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_building = threading.Lock()  # several trials of an idea start at once and want the same layer


class Refused(Exception):
    """The index has no such wheels; the message is what pip said."""


def with_requirements(client: APIClient, image: Image, requirements: tuple[str, ...]) -> Image:
    """The image with these packages, built once. Raises Refused when they cannot be had, else Trouble."""
    index = settings.load().package_index
    name = f"eidothea-requirements:{digest(image.id, sorted(requirements), index, length=16)}"
    with _building:
        if not client.images(name, quiet=True):
            _build(client, image, requirements, index, name)
        with engine.asking(f"look for the image {name}"):
            made = client.inspect_image(name)["Id"]  # type: ignore[no-untyped-call]
    return replace(image, id=made, name=name)


def _build(client: APIClient, image: Image, requirements: tuple[str, ...], index: str, name: str) -> None:
    said: list[str] = []
    here = urlsplit(index).hostname in LOOPBACK  # an index on this machine is reached through its own network
    try:
        with engine.asking("install a candidate's requirements"):
            events = client.build(
                fileobj=io.BytesIO(build.context(DOCKERFILE.encode(), requirements)),
                custom_context=True,
                tag=name,
                buildargs={"BASE": image.id, "INDEX": index},
                labels={LABEL: image.kind, PYTHON_LABEL: image.python, PACKAGES_LABEL: image.packages},
                network_mode="host" if here else "default",
                rm=True,
                forcerm=True,
                decode=True,
            )
            said.extend(build.lines(events))
    except engine.Trouble as trouble:
        _forget(client, said)
        log = "\n".join(said)
        if "ERROR:" not in log or any(mark in log for mark in OUT_OF_REACH):
            raise engine.Trouble(f"{trouble} (index {index}): {said[-1] if said else 'it said nothing'}") from trouble
        raise Refused(log) from trouble


def _forget(client: APIClient, said: list[str]) -> None:
    """Remove what a build that failed has made so far, and keeps without a name."""
    made = [line.split()[-1] for line in said if re.fullmatch(r" ---> [0-9a-f]+", line)]
    if made[1:]:  # the first is what it was to build on
        with contextlib.suppress(engine.Trouble), engine.asking("remove what a failed build has left"):
            client.remove_image(made[-1])
