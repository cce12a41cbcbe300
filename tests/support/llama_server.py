"""A real language model behind a real OpenAI-compatible server: SmolLM2-135M on llama.cpp, in a process of its own.

Run as a program it serves until its standard input ends, so that it cannot outlive the test that started it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def smollm2(context: int = 0) -> Iterator[str]:
    """The URL of a server on one thread; `context` limits the model's own context of 8192 tokens."""
    words = [sys.executable, __file__, str(context)]
    # Its log is large, and of interest to nobody while it works.
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(30)


def main(context: int) -> None:
    import xllamacpp

    from eidothea.models.llamacpp import smollm2_file

    params = xllamacpp.CommonParams()
    params.model.path = str(smollm2_file())
    params.model_alias = {"smollm2"}
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_ctx = context
    params.verbosity = 0
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}/v1\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
