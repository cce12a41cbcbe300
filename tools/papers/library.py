"""The library: papers in a ChromaDB on disk, searched by meaning."""

from __future__ import annotations

import fcntl
import logging
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from eidothea.errors import Missing, WrongUse
from eidothea.protocols import Embedder, PaperSource
from eidothea.state.base import digest
from eidothea.state.paper import Hit, Paper

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

MARK = "eidothea-library.lock"
BATCH = 64

log = logging.getLogger(__name__)


class ChromaLibrary:
    """Papers with their vectors, one collection an embedder; implements `protocols.Library`.

    The folder is a cache of what sources know: when it is damaged it is rebuilt, with a warning. Equal
    similarities are ordered by id, so that a search is repeatable. Processes that share a folder take turns.
    Raises WrongUse when the folder holds anything else, Missing when it cannot be written.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._embedder = embedder
        self._folder = folder.resolve()
        self._mark = self._folder / MARK
        self._client: Client | None = None
        self._papers: Collection | None = None
        self._version = ""
        self._prepare()
        with self._held():
            pass

    def add(self, papers: Sequence[Paper]) -> int:
        """Add papers that are new or have changed; returns how many were. Of two with the same id the later counts."""
        wanted = {paper.id: paper for paper in papers}
        with self._held() as collection:
            kept = _digests(collection)
            new = [paper for paper in wanted.values() if kept.get(paper.id) != digest(paper)]
            if new:
                self._announce()
            for start in range(0, len(new), BATCH):
                self._write(collection, new[start : start + BATCH])
        return len(new)

    def sync(self, source: PaperSource) -> int:
        """Add what a source has and the library has not; returns how many papers that was."""
        return self.add(source.papers())

    def count(self) -> int:
        with self._held() as collection:
            return int(collection.count())

    def search(self, query: str, n: int) -> list[Hit]:
        """The `n` papers nearest to the query by cosine similarity, best first."""
        if n < 1 or not query.strip():
            return []
        vector = self._embedder.embed([query])[0]
        with self._held() as collection:
            n = min(n, collection.count())
            if n == 0:
                return []
            found = collection.query(
                query_embeddings=[vector],
                n_results=n,
                include=["documents", "distances"],
            )
        documents, distances = found["documents"], found["distances"]
        assert documents is not None
        assert distances is not None
        pairs = zip(documents[0], distances[0], strict=True)
        hits = [Hit(paper=Paper.model_validate_json(text), similarity=round(1 - d, 6)) for text, d in pairs]
        return sorted(hits, key=lambda hit: (-hit.similarity, hit.paper.id))

    def get(self, paper_id: str) -> Paper | None:
        with self._held() as collection:
            documents = collection.get(ids=[paper_id], include=["documents"])["documents"]
        return Paper.model_validate_json(documents[0]) if documents else None

    def _write(self, collection: Collection, papers: Sequence[Paper]) -> None:
        collection.upsert(
            ids=[paper.id for paper in papers],
            embeddings=self._embedder.embed([paper.text for paper in papers]),
            documents=[paper.model_dump_json() for paper in papers],
            metadatas=[{"digest": digest(paper)} for paper in papers],
        )

    def _prepare(self) -> None:
        if self._folder.exists() and not self._mark.exists() and any(self._folder.iterdir()):
            raise WrongUse(f"{self._folder} holds other files; choose an empty folder for the library")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._mark.touch()
        except OSError as error:
            raise Missing(f"the library cannot be written to {self._folder}: {error.strerror}") from error

    @contextmanager
    def _held(self) -> Iterator[Collection]:
        """The collection as it is now, for this process alone: Chroma supports one process at a time.

        What another process has written since is seen only by opening the store anew.
        """
        with self._mark.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            version = file.read()
            if self._papers is None or version != self._version:
                self._version = version
                self._papers = self._open_or_rebuild()
            yield self._papers

    def _announce(self) -> None:
        """Before a change, so that others open the store anew even when this process dies in the middle of it."""
        self._version = str(int(self._version or 0) + 1)
        self._mark.write_text(self._version)

    def _open_or_rebuild(self) -> Collection:
        if self._client is not None:
            self._client.close()
        number = max((int(path.name.split("-")[1]) for path in self._folder.glob("index-*")), default=1)
        try:
            return self._open(number)
        except Exception as error:
            said = " ".join(str(error).split())[:200]
            log.warning("the library in %s is damaged (%s) and is built again", self._folder, said)
            self._announce()
            shutil.rmtree(self._folder / f"index-{number}", ignore_errors=True)
            # A new name, because Chroma remembers the damaged one for as long as the process lives.
            return self._open(number + 1)

    def _open(self, number: int) -> Collection:
        import chromadb
        from chromadb.config import Settings

        store, settings = str(self._folder / f"index-{number}"), Settings(anonymized_telemetry=False)
        self._client = cast("Client", chromadb.PersistentClient(store, settings=settings))
        papers = self._client.get_or_create_collection(
            re.sub(r"[^a-zA-Z0-9._-]", "-", f"papers-{self._embedder.name}-{self._embedder.dimension}"),
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200, "num_threads": 1}},
        )
        _probe(papers)
        return papers


def _digests(papers: Collection) -> dict[str, str]:
    rows = papers.get(include=["metadatas"])
    return {id: str(row["digest"]) for id, row in zip(rows["ids"], rows["metadatas"] or [], strict=True)}


def _probe(papers: Collection) -> None:
    """Touch documents and index, so that damage shows when the library is opened and not in the middle of a run."""
    first = papers.get(limit=1, include=["embeddings", "documents"])
    if first["ids"] and first["embeddings"] is not None:
        papers.query(query_embeddings=first["embeddings"][:1], n_results=1)
