"""Send spans over OTLP/HTTP, configured by the standard OTEL_* variables, without ever holding up a run."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from eidothea.errors import Missing, WrongUse

FLUSH_S = 2.0  # a run that is over waits no longer for a collector
log = logging.getLogger("eidothea.telemetry")


def start() -> Sending | None:
    """A sender of spans, or None when the OTEL_* variables say that nothing is to be sent.

    Raises Missing when the exporter is not installed, WrongUse for OTEL_* values that make no sense.
    """
    if _variable("OTEL_SDK_DISABLED") == "true" or _variable("OTEL_TRACES_EXPORTER") == "none":
        return None
    # Its complaints about a collector would break into the progress display; what they come to is said at the end.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    try:
        return Sending(exporter())
    except ValueError as error:
        raise WrongUse(f"an OTEL_* variable does not fit: {error}") from error


def exporter() -> SpanExporter:
    """The exporter that OTEL_EXPORTER_OTLP_ENDPOINT and its like describe."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ModuleNotFoundError as error:
        raise Missing(
            "telemetry is on, but its exporter is not installed: pip install 'eidothea[otel]', "
            "or switch it off with EIDOTHEA_TELEMETRY=false"
        ) from error
    named = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = next(filter(None, map(_variable, named)), "http/protobuf")
    if protocol != "http/protobuf":
        raise ValueError(f"spans are sent as http/protobuf, not as {protocol!r} (OTEL_EXPORTER_OTLP_PROTOCOL)")
    return OTLPSpanExporter()


def wants_content() -> bool:
    """Whether prompts and answers are to be in the spans."""
    return _variable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT") in ("true", "span_only", "span_and_event")


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip().lower()


class Sending:
    """A tracer of its own, so that nothing else in the process sends through it."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = _Counting(exporter)
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self.tracer = self._provider.get_tracer("eidothea")

    def close(self) -> None:
        """Send what is left, for at most FLUSH_S; says in the log when not everything got through."""
        flushing = threading.Thread(target=self._provider.shutdown, daemon=True, name="eidothea-telemetry")
        flushing.start()
        flushing.join(FLUSH_S)
        late = flushing.is_alive()
        if late:
            self._exporter.shutdown()  # ends the waiting between its tries
        if late or self._exporter.lost:
            log.warning("not every span of this run reached the collector (OTEL_EXPORTER_OTLP_ENDPOINT)")


class _Counting(SpanExporter):
    """An exporter that counts the spans which did not get through."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner, self.lost = inner, 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._inner.export(spans)
        except Exception:
            self.lost += len(spans)
            raise  # to the processor, which writes it to OpenTelemetry's log
        self.lost += len(spans) if result is not SpanExportResult.SUCCESS else 0
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


def _resource() -> Resource:
    """What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say; without a name, ours."""
    found = Resource.create()
    named = not str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service")
    return found if named else found.merge(Resource({SERVICE_NAME: "eidothea"}))
