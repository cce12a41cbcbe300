"""`eidothea images build|list`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from eidothea.cli import console
from eidothea.cli.options import Json

app = typer.Typer(help="The images that docker workspaces run in: build, list.", no_args_is_help=True)


@app.command("build")
def build_image(
    gpu: Annotated[bool, typer.Option("--gpu", help="For tasks and scales that want GPUs.")] = False,
    base: Annotated[
        str, typer.Option(help="What to build on.", metavar="IMAGE", show_default="python:X.Y-slim-bookworm")
    ] = "",
    packages: Annotated[
        Literal["host", "image"] | None,
        typer.Option(help="Mount this environment's packages, or install them.", show_default="host where they fit"),
    ] = None,
    json: Json = False,
) -> None:
    """Build the image of this version.

    The setting docker_image gives it another name. Exits with 4 when the engine or the base is missing.
    """
    from eidothea.workspaces._docker import build, image

    kind: image.Kind = "gpu" if gpu else "cpu"
    made = build.build(kind, image.name_of(kind), base, packages, console.note)
    if json:
        console.show_json({"image": made.name, "id": made.id, "python": made.python, "packages": made.packages})
    else:
        console.note(f"built {made.name}; --workspace docker uses it, and auto does from now on")


@app.command("list")
def list_images(json: Json = False) -> None:
    """List the images that are here."""
    import time

    from eidothea.workspaces._docker import build

    rows = build.listed()
    if json:
        console.show_json(rows)
        return
    table = console.table("image", "kind", "python", "packages", "MB", "built", right=("MB",))
    for row in rows:
        built = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["created"]))
        table.add_row(row["image"], row["kind"], row["python"], row["packages"], str(row["mb"]), built)
    console.show(table)
