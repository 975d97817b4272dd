// reader: what other people's Go code reads in our telemetry, as JSON for the tests.
//
//	reader traces|logs codec     OTLP on stdin, by the Collector's own codec (pdata)
//	reader traces|logs generated OTLP on stdin, by the official generated code and protojson
//	reader metrics CONTENT-TYPE  an exposition on stdin, by Prometheus's expfmt and client_model
//
// Nothing is left out and nothing is repaired: what cannot be read is an error on stderr, exit 1.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}

func run(arguments []string, in io.Reader, out io.Writer) error {
	if len(arguments) != 2 {
		return errors.New("usage: reader traces|logs codec|generated, reader metrics CONTENT-TYPE")
	}
	raw, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var text []byte
	switch what, how := arguments[0], arguments[1]; {
	case what == "metrics":
		text, err = metrics(raw, how)
	case what == "traces" && how == "codec":
		text, err = tracesByCodec(raw)
	case what == "logs" && how == "codec":
		text, err = logsByCodec(raw)
	case what == "traces" && how == "generated":
		text, err = byGenerated(raw, &coltrace.ExportTraceServiceRequest{})
	case what == "logs" && how == "generated":
		text, err = byGenerated(raw, &collogs.ExportLogsServiceRequest{})
	default:
		err = fmt.Errorf("no such reading: %v", arguments)
	}
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

// A request of the collector service has the fields of the data it carries, under the same numbers.
func tracesByCodec(raw []byte) ([]byte, error) {
	data, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(raw)
	if err != nil {
		return nil, err
	}
	return (&ptrace.JSONMarshaler{}).MarshalTraces(data)
}

func logsByCodec(raw []byte) ([]byte, error) {
	data, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
	if err != nil {
		return nil, err
	}
	return (&plog.JSONMarshaler{}).MarshalLogs(data)
}

func byGenerated(raw []byte, message proto.Message) ([]byte, error) {
	if err := proto.Unmarshal(raw, message); err != nil {
		return nil, err
	}
	if unknown := message.ProtoReflect().GetUnknown(); len(unknown) > 0 {
		return nil, fmt.Errorf("%d bytes of unknown fields", len(unknown))
	}
	return protojson.Marshal(message)
}

// ---- expositions ---------------------------------------------------------------------------------

// A sample as text formats would write it: floats as strings, for JSON has no infinity.
type sample struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Value  string            `json:"value"`
}

type exposition struct {
	Families map[string]string `json:"families"` // name: type
	Samples  []sample          `json:"samples"`
}

func number(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

func metrics(raw []byte, contentType string) ([]byte, error) {
	format := expfmt.ResponseFormat(http.Header{"Content-Type": []string{contentType}})
	if format.FormatType() == expfmt.TypeUnknown {
		return nil, fmt.Errorf("not a format that expfmt reads: %s", contentType)
	}
	decoder := expfmt.NewDecoder(bytes.NewReader(raw), format)
	result := exposition{Families: map[string]string{}}
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			return json.Marshal(result)
		} else if err != nil {
			return nil, err
		}
		if !model.LegacyValidation.IsValidMetricName(family.GetName()) {
			return nil, fmt.Errorf("not a name: %q", family.GetName())
		}
		if _, twice := result.Families[family.GetName()]; twice {
			return nil, fmt.Errorf("twice: %s", family.GetName())
		}
		result.Families[family.GetName()] = family.GetType().String()
		for _, metric := range family.GetMetric() {
			if err := result.add(&family, metric); err != nil {
				return nil, err
			}
		}
	}
}

func (e *exposition) add(family *dto.MetricFamily, metric *dto.Metric) error {
	labels := map[string]string{}
	for _, pair := range metric.GetLabel() {
		labels[pair.GetName()] = pair.GetValue()
	}
	one := func(suffix string, value float64, more ...string) {
		with := map[string]string{}
		for name, label := range labels {
			with[name] = label
		}
		for i := 0; i < len(more); i += 2 {
			with[more[i]] = more[i+1]
		}
		e.Samples = append(e.Samples, sample{family.GetName() + suffix, with, number(value)})
	}
	switch family.GetType() {
	case dto.MetricType_COUNTER:
		one("", metric.GetCounter().GetValue())
	case dto.MetricType_GAUGE:
		one("", metric.GetGauge().GetValue())
	case dto.MetricType_HISTOGRAM:
		histogram := metric.GetHistogram()
		infinite := false
		for _, bucket := range histogram.GetBucket() {
			infinite = infinite || math.IsInf(bucket.GetUpperBound(), 1)
			one("_bucket", float64(bucket.GetCumulativeCount()), "le", number(bucket.GetUpperBound()))
		}
		if !infinite {
			one("_bucket", float64(histogram.GetSampleCount()), "le", "+Inf")
		}
		one("_count", float64(histogram.GetSampleCount()))
		one("_sum", histogram.GetSampleSum())
	default:
		return fmt.Errorf("%s: no sample is made of a %s", family.GetName(), family.GetType())
	}
	return nil
}
