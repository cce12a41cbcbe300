"""A collector of OpenTelemetry spans: a real HTTP server that takes OTLP protobuf, or misbehaves when asked to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What came in, decoded; `release` ends the hanging of one that hangs."""

    def __init__(self, url: str, status: int, hangs: bool) -> None:
        self.url, self.status, self.hangs = url, status, hangs
        self.asked = threading.Event()
        self.release = threading.Event()
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def spans(self) -> list[Any]:
        return [s for r in self.requests for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]

    @property
    def resource(self) -> dict[str, str]:
        return {kv.key: kv.value.string_value for kv in self.requests[0].resource_spans[0].resource.attributes}

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.asked.set()
        if self.hangs:
            self.release.wait()
        self.paths.append(path)
        self.headers.append(headers)
        self.requests.append(ExportTraceServiceRequest.FromString(body))


@contextmanager
def collector(status: int = 200, hangs: bool = False) -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.take(self.path, dict(self.headers), body)
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Collector(f"http://127.0.0.1:{server.server_port}", status, hangs)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
