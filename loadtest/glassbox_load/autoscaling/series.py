"""What is watched and foretold, as series of Prometheus, by its remote write: beside k6's own, under the same
test's id.

The messages are those of the remote-write specification 1.0: WriteRequest, TimeSeries, Label, Sample.
"""

from collections.abc import Mapping

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .api import Api

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
           "X-Prometheus-Remote-Write-Version": "0.1.0", "User-Agent": "glassbox-loadtest"}
PACKAGE = "glassbox.remote_write"
FIELD = descriptor_pb2.FieldDescriptorProto
# message -> (field, number, type); one with a capital is a message, of which there are several.
SCHEMA: dict[str, tuple[tuple[str, int, int | str], ...]] = {
    "Label": (("name", 1, FIELD.TYPE_STRING), ("value", 2, FIELD.TYPE_STRING)),
    "Sample": (("value", 1, FIELD.TYPE_DOUBLE), ("timestamp", 2, FIELD.TYPE_INT64)),
    "TimeSeries": (("labels", 1, "Label"), ("samples", 2, "Sample")),
    "WriteRequest": (("timeseries", 1, "TimeSeries"),),
}


def messages() -> dict[str, type]:
    """Classes for SCHEMA."""
    file = descriptor_pb2.FileDescriptorProto(name="remote_write.proto", package=PACKAGE, syntax="proto3")
    for name, fields in SCHEMA.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            if isinstance(kind, str):
                message.field.add(name=field, number=number, label=FIELD.LABEL_REPEATED, type=FIELD.TYPE_MESSAGE,
                                  type_name=f".{PACKAGE}.{kind}")
            else:
                message.field.add(name=field, number=number, label=FIELD.LABEL_OPTIONAL, type=kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in SCHEMA}


TYPES = messages()


def encoded(values: Mapping[tuple[str, tuple[tuple[str, str], ...]], float], labels: Mapping[str, str],
            at: float) -> bytes:
    """A WriteRequest of one sample each, not yet compressed: (name, labels) -> value. Labels are sorted, as it
    wants."""
    request = TYPES["WriteRequest"]()
    for (name, own), value in values.items():
        series = request.timeseries.add()
        for key, text in sorted({"__name__": name, **labels, **dict(own)}.items()):
            series.labels.add(name=key, value=text)
        series.samples.add(value=value, timestamp=round(at * 1000))
    return request.SerializeToString()


class Series:
    """Of one test, to the Prometheus of a Service."""

    def __init__(self, api: Api, monitoring: str, service: str, labels: Mapping[str, str]) -> None:
        self.api, self.labels = api, dict(labels)
        self.path = f"/api/v1/namespaces/{monitoring}/services/{service}:http-web/proxy/api/v1/write"

    def write(self, values: Mapping[tuple[str, tuple[tuple[str, str], ...]], float], at: float) -> None:
        """Now; a Prometheus that refuses says why."""
        self.api.call(self.path, bytes(cramjam.snappy.compress_raw(encoded(values, self.labels, at))), HEADERS)
