"""The images that candidates run in: their names, and what `eidothea images build` wrote on them."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

from eidothea import settings
from eidothea.errors import Missing
from eidothea.workspaces._docker import engine

if TYPE_CHECKING:
    from docker import APIClient

Kind = Literal["cpu", "gpu"]
Packages = Literal["host", "image"]
LABEL = "eidothea.image"  # on images: cpu or gpu
PYTHON_LABEL, PACKAGES_LABEL = "eidothea.python", "eidothea.packages"


@dataclass(frozen=True)
class Image:
    """An image on this machine. `packages` says whether they are in it, or mounted from the running environment."""

    id: str
    name: str
    kind: Kind
    python: str
    packages: Packages


def name_of(kind: Kind) -> str:
    """The image's name: the setting `docker_image`, else that of this version."""
    return settings.load().docker_image or f"eidothea-{kind}:{metadata.version('eidothea')}"


def build_command(kind: Kind) -> str:
    return "eidothea images build" + (" --gpu" if kind == "gpu" else "")


def find(client: APIClient, kind: Kind, name: str = "") -> Image:
    """The image for a kind of job; that for GPUs serves all others, too, where there is no other.

    Raises Missing when none is here or it does not fit, Trouble when the engine does not answer.
    """
    names = [name] if name else [name_of(kind), name_of("gpu")]
    with engine.asking(f"look for the image {names[0]}"):
        for candidate in names:
            if (found := _inspect(client, candidate)) is not None:
                return _checked(found, candidate, kind)
    raise Missing(f"the image {names[0]} is not here; make it with: {build_command(kind)}")


def _inspect(client: APIClient, name: str) -> dict[str, Any] | None:
    from docker.errors import ImageNotFound

    try:
        found: dict[str, Any] = client.inspect_image(name)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return None
    return found


def _checked(found: dict[str, Any], name: str, kind: Kind) -> Image:
    labels = found["Config"].get("Labels") or {}
    if not labels.get(LABEL):
        raise Missing(f"{name} is no image of Eidothea; make one from it with: {build_command(kind)} --base {name}")
    image = Image(found["Id"], name, labels[LABEL], labels[PYTHON_LABEL], labels[PACKAGES_LABEL])
    if kind == "gpu" and image.kind != "gpu":
        raise Missing(f"the image {name} is not made for GPUs; make one with: {build_command(kind)}")
    if image.packages == "host" and not same_python(image.python):
        raise Missing(
            f"the image {name} has Python {image.python} and takes its packages from this environment, which has "
            f"{platform.python_version()}; make it anew with: {build_command(kind)}"
        )
    return image


def same_python(version: str) -> bool:
    """Whether packages of the running interpreter work there, too: the first two numbers are the same."""
    return version.split(".")[:2] == list(platform.python_version_tuple()[:2])
