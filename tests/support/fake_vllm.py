"""A fake vLLM: a program that takes `serve NAME …` and behaves, or misbehaves, as `vllm serve` does.

`program(folder, …)` writes an executable for the setting `vllm_command`. It logs as vLLM does, has an engine process
that ends with it on SIGTERM and outlives it otherwise, wants the key of VLLM_API_KEY on /v1 and not on /health, and
answers every chat request with `answer`, or with what `answers` has for the name of its schema. Each start adds a line
to `folder/starts`, each chat request one to `folder/asked`.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CRASH = """\
(EngineCore pid=4711) INFO 11-21 10:00:01 [gpu_model_runner.py:3861] Starting to load model ...
(EngineCore pid=4711) ERROR 11-21 10:00:09 [core.py:1098] EngineCore failed to start.
(EngineCore pid=4711) ERROR 11-21 10:00:09 [core.py:1098] torch.OutOfMemoryError: CUDA out of memory. Tried to \
allocate 1.96 GiB. GPU 0 has a total capacity of 7.75 GiB of which 1.20 GiB is free.
(APIServer pid=4700) Traceback (most recent call last):
(APIServer pid=4700)   File "/usr/bin/vllm", line 8, in <module>
(APIServer pid=4700) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
"""
ENGINE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"


def program(
    folder: Path,
    *,
    answer: str = "{}",
    answers: dict[str, str] | None = None,
    slow: float = 0,
    crash: bool = False,
    deaths: int = 0,
    hang: bool = False,
    stubborn: bool = False,
    max_model_len: int = 8192,
) -> Path:
    """Write the executable.

    `slow` seconds pass before it answers; with `crash` it ends before that; it kills itself at the first request of
    its first `deaths` starts; with `hang` chat requests get no answer; with `stubborn` it ignores SIGTERM.
    """
    behaviour = {
        "answer": answer,
        "answers": answers or {},
        "slow": slow,
        "crash": crash,
        "deaths": deaths,
        "hang": hang,
        "stubborn": stubborn,
        "max_model_len": max_model_len,
    }
    path = folder / "vllm"
    words = [sys.executable, "-I", __file__, str(folder), json.dumps(behaviour)]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    path.chmod(0o755)
    return path


def starts(folder: Path) -> list[list[str]]:
    """The command line of each start."""
    return _lines(folder / "starts")


def asked(folder: Path) -> list[dict[str, Any]]:
    """The body of each chat request."""
    return _lines(folder / "asked")


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _add(path: Path, value: Any) -> int:
    with path.open("a") as file:
        file.write(json.dumps(value) + "\n")
    return len(_lines(path))


def _log(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path
    behaviour: dict[str, Any]
    model: str
    start: int

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send(200, {})
        elif self._refused():
            self._send(401, {"error": "Unauthorized"})
        else:
            card = {"id": self.model, "object": "model", "max_model_len": self.behaviour["max_model_len"]}
            self._send(200, {"object": "list", "data": [card]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._refused():
            return self._send(401, {"error": "Unauthorized"})
        if self.path != "/v1/chat/completions":
            return self._send(404, {"detail": "Not Found"})
        _add(self.folder / "asked", body)
        if self.start <= self.behaviour["deaths"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.behaviour["hang"]:
            time.sleep(3600)
        name = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        said = {"role": "assistant", "content": self.behaviour["answers"].get(name, self.behaviour["answer"])}
        if body.get("stream"):
            return self._stream(body, said)
        self._send(200, self._completion("message", said))

    def _stream(self, body: dict[str, Any], said: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self._event(self._completion("delta", said) | {"usage": None})
        if (body.get("stream_options") or {}).get("include_usage"):
            self._event(self._completion("delta", {}) | {"choices": []})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, chunk: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def _completion(self, part: str, said: dict[str, str]) -> dict[str, Any]:
        kind = "chat.completion" if part == "message" else "chat.completion.chunk"
        choice = {"index": 0, part: said, "finish_reason": "stop"}
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        return {"id": "c", "object": kind, "created": 1, "model": self.model, "choices": [choice], "usage": usage}

    def _refused(self) -> bool:
        key = os.environ.get("VLLM_API_KEY")
        return bool(key) and self.headers.get("Authorization") != f"Bearer {key}"

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _arguments(words: list[str]) -> argparse.Namespace:
    """The part of `vllm serve` that is used; anything else is an error, as it is there."""
    parser = argparse.ArgumentParser(prog="vllm")
    serve = parser.add_subparsers(required=True).add_parser("serve")
    serve.add_argument("model")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int, required=True)
    serve.add_argument("--gpu-memory-utilization", type=float)
    serve.add_argument("--max-model-len", type=int)
    serve.add_argument("--enable-prefix-caching", action="store_true")
    return parser.parse_args(words)


def main(folder: Path, behaviour: dict[str, Any], words: list[str]) -> None:
    given = _arguments(words)
    start = _add(folder / "starts", words)
    if behaviour["stubborn"]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _log("INFO 11-21 10:00:00 [api_server.py:1971] vLLM API server version 0.32.0")
    # The engine ends on no signal but SIGKILL, and knows its folder so that a test can look for it.
    engine = subprocess.Popen([sys.executable, "-I", "-c", ENGINE, str(folder)], start_new_session=True)
    if not behaviour["stubborn"]:
        signal.signal(signal.SIGTERM, lambda number, _: (engine.kill(), os._exit(0)))
    if behaviour["crash"]:
        _log(CRASH)
        sys.exit(1)
    until = time.monotonic() + behaviour["slow"]
    while time.monotonic() < until:
        _log("INFO 11-21 10:00:02 [weight_utils.py:446] Loading safetensors checkpoint shards: 50%")
        time.sleep(0.05)
    fields = {"folder": folder, "behaviour": behaviour, "model": given.model, "start": start}
    handler = type("Handler", (_Handler,), fields)
    server = ThreadingHTTPServer((given.host, given.port), handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:])
