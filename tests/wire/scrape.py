"""The three expositions, each read by something that was not written for us.

Text and OpenMetrics go through the parsers of the official Python client (its OpenMetrics parser is
strict); protobuf through a descriptor of io.prometheus.client built here from its field numbers and
read by the official protobuf runtime. All three give an `Exposition`, so tests can compare them.
"""

from dataclasses import dataclass, field

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.decoder import _DecodeVarint32
from prometheus_client import parser as text_parser
from prometheus_client.openmetrics import parser as openmetrics_parser

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROTOBUF = ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
            "encoding=delimited")

ACCEPT_OPENMETRICS = "application/openmetrics-text;version=1.0.0"
ACCEPT_PROTOBUF = ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                   "encoding=delimited")
# What Prometheus sends: 2.42, 3.x, and 3.x with scrape_native_histograms.
ACCEPT_PROMETHEUS_2 = ("application/openmetrics-text;version=1.0.0,"
                       "application/openmetrics-text;version=0.0.1;q=0.75,"
                       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
ACCEPT_PROMETHEUS_3 = ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                       "application/openmetrics-text;version=0.0.1;q=0.5,"
                       "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                       "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
ACCEPT_PROMETHEUS_NATIVE = ACCEPT_PROTOBUF + ";q=0.7," + ACCEPT_PROMETHEUS_3


@dataclass
class Exposition:
    families: dict = field(default_factory=dict)   # name as exposed -> type
    samples: dict = field(default_factory=dict)    # (sample name, frozenset of labels) -> value
    exemplars: list = field(default_factory=list)  # (sample name, labels, {label: value}, value)

    def add(self, name, labels, value):
        """Keeps a sample. `le` is a number: text may write 1, OpenMetrics must write 1.0."""
        if "le" in labels:
            labels = {**labels, "le": repr(float(labels["le"]))}
        key = (name, frozenset(labels.items()))
        assert key not in self.samples, f"twice: {key}"
        self.samples[key] = value

    def of(self, name):
        """{labels: value} of one sample name."""
        return {labels: value for (sample, labels), value in self.samples.items()
                if sample == name}


def _from_families(families):
    result = Exposition()
    for family in families:
        result.families[family.name] = family.type
        for sample in family.samples:
            result.add(sample.name, sample.labels, sample.value)
            if sample.exemplar:
                result.exemplars.append((sample.name, frozenset(sample.labels.items()),
                                         sample.exemplar.labels, sample.exemplar.value))
    return result


def parse_text(body):
    """Text 0.0.4, with what the parser forgives checked here: groups that are contiguous, one HELP
    and one TYPE each, before the samples."""
    text = body.decode("utf-8")
    assert text.endswith("\n") and "\n\n" not in text
    for word in ("# HELP ", "# TYPE "):
        names = [line.split(" ")[2] for line in text.splitlines() if line.startswith(word)]
        assert len(names) == len(set(names)), f"{word} twice"
    assert not any("# {" in line for line in text.splitlines() if not line.startswith("#")), \
        "exemplars do not belong into text 0.0.4"
    return _from_families(text_parser.text_string_to_metric_families(text))


def parse_openmetrics(body):
    text = body.decode("utf-8")
    assert text.endswith("# EOF\n")
    return _from_families(openmetrics_parser.text_string_to_metric_families(text))


# ---- protobuf -----------------------------------------------------------------------------------

# message -> (field, number, type, repeated); types with a capital are messages of this table.
SCHEMA = {
    "LabelPair": [("name", 1, "string"), ("value", 2, "string")],
    "Gauge": [("value", 1, "double")],
    "Timestamp": [("seconds", 1, "int64"), ("nanos", 2, "int32")],
    "Exemplar": [("label", 1, "LabelPair*"), ("value", 2, "double"), ("timestamp", 3, "Timestamp")],
    "Counter": [("value", 1, "double"), ("exemplar", 2, "Exemplar"), ("created", 3, "Timestamp")],
    "Bucket": [("cumulative_count", 1, "uint64"), ("upper_bound", 2, "double"),
               ("exemplar", 3, "Exemplar")],
    "BucketSpan": [("offset", 1, "sint32"), ("length", 2, "uint32")],
    "Histogram": [("sample_count", 1, "uint64"), ("sample_sum", 2, "double"),
                  ("bucket", 3, "Bucket*"), ("schema", 5, "sint32"),
                  ("zero_threshold", 6, "double"), ("zero_count", 7, "uint64"),
                  ("negative_span", 9, "BucketSpan*"), ("negative_delta", 10, "sint64*"),
                  ("positive_span", 12, "BucketSpan*"), ("positive_delta", 13, "sint64*"),
                  ("created", 15, "Timestamp"), ("exemplars", 16, "Exemplar*")],
    "Metric": [("label", 1, "LabelPair*"), ("gauge", 2, "Gauge"), ("counter", 3, "Counter"),
               ("timestamp_ms", 6, "int64"), ("histogram", 7, "Histogram")],
    "MetricFamily": [("name", 1, "string"), ("help", 2, "string"), ("type", 3, "int32"),
                     ("metric", 4, "Metric*"), ("unit", 5, "string")],
}
TYPE_NAMES = ("counter", "gauge", "summary", "untyped", "histogram")


def _message_class(name):
    proto = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="client",
                                              syntax="proto2")
    for message, fields in SCHEMA.items():
        entry = file.message_type.add(name=message)
        for field_name, number, kind in fields:
            plain = kind.rstrip("*")
            item = entry.field.add(name=field_name, number=number,
                                   label=proto.LABEL_REPEATED if kind.endswith("*")
                                   else proto.LABEL_OPTIONAL)
            if plain in SCHEMA:
                item.type, item.type_name = proto.TYPE_MESSAGE, f".client.{plain}"
            else:
                item.type = getattr(proto, "TYPE_" + plain.upper())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("client." + name))


MetricFamily = _message_class("MetricFamily")


def unknown_fields(message):
    """Whether the bytes of a message held anything that the schema does not know."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.DiscardUnknownFields()
    return copy.ByteSize() != message.ByteSize()


def parse_families(body):
    """The delimited MetricFamily messages."""
    families, position = [], 0
    while position < len(body):
        length, position = _DecodeVarint32(body, position)
        assert position + length <= len(body), "cut short"
        family = MetricFamily.FromString(body[position:position + length])
        assert not unknown_fields(family), family.name
        families.append(family)
        position += length
    return families


def native_buckets(histogram):
    """{bucket index: count} of the positive native buckets: spans and deltas undone."""
    result, index, count, deltas = {}, 0, 0, iter(histogram.positive_delta)
    for span in histogram.positive_span:
        index += span.offset
        for _ in range(span.length):
            count += next(deltas)
            assert count >= 0
            result[index] = count
            index += 1
    assert next(deltas, None) is None, "more deltas than spans"
    return result


def parse_protobuf(body):
    """An Exposition whose histograms are written out as _bucket, _count and _sum."""
    result = Exposition()
    for family in parse_families(body):
        result.families[family.name] = TYPE_NAMES[family.type]
        for metric in family.metric:
            labels = {pair.name: pair.value for pair in metric.label}
            if family.type == 4:
                _add_histogram(result, family.name, labels, metric.histogram)
            else:
                holder = metric.counter if family.type == 0 else metric.gauge
                result.add(family.name, labels, holder.value)
    return result


def _add_histogram(result, name, labels, histogram):
    assert histogram.sample_count == histogram.zero_count + sum(native_buckets(histogram).values())
    result.add(name + "_count", labels, histogram.sample_count)
    result.add(name + "_sum", labels, histogram.sample_sum)
    for bucket in histogram.bucket:
        le = {**labels, "le": repr(bucket.upper_bound)}
        result.add(name + "_bucket", le, bucket.cumulative_count)
        if bucket.HasField("exemplar"):
            result.exemplars.append((name + "_bucket", frozenset(le.items()),
                                     {pair.name: pair.value for pair in bucket.exemplar.label},
                                     bucket.exemplar.value))
