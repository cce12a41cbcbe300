"""Runs in a container that waits for its one job: import what is slow to import, say so, then become the script.

It and the parts of the server of warm starts (`_warm/`) lie beside the pipes of the container. No candidate's file is
there before the order comes, and the container is removed after it.

    waiting.py MODULE …
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eidothea.workspaces._warm import candidate, interpreter, server
else:  # in the container these files lie side by side, and there is no Eidothea
    import candidate
    import interpreter
    import server

HELPERS = (*server.HELPERS, "server")


def ready(folder: str) -> list[str]:
    """Say what is imported; returns the words of the job when it comes. Ends when nobody is there to send one."""
    modules = set(server.condition()["modules"]) - set(HELPERS)  # type: ignore[call-overload]
    with open(f"{folder}/order") as orders:  # noqa: PTH123
        with open(f"{folder}/ready", "w") as told:  # noqa: PTH123
            told.write(json.dumps(sorted(modules)) + "\n")
        said = orders.readline()
    if not said:
        os._exit(0)
    words: list[str] = json.loads(said)
    return words


if __name__ == "__main__":
    _folder = sys.path[0]
    server.preload(sys.argv[1:])
    _words = ready(_folder)
    candidate.name_memory(_words, dict(os.environ))
    _script, _error = interpreter.Script(_words, HELPERS), None
    try:
        exec(_script.code(), _script.main.__dict__)
    except BaseException as _raised:
        _error = _raised
    _script.leave(_error)
