"""The library as it comes: MiniLM vectors, the bundled corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eidothea import plugins

if TYPE_CHECKING:
    from eidothea.tools.papers.library import ChromaLibrary


def open_library(folder: Path | str) -> ChromaLibrary:
    """The paper library in a folder (made if it is not there), with the bundled corpus in it."""
    from eidothea.tools.papers.library import ChromaLibrary

    library = ChromaLibrary(Path(folder), plugins.load("tools.papers.embedders", "minilm")())
    library.sync(plugins.load("tools.papers.sources", "corpus")())
    return library
