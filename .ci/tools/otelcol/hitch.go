package main

import (
	"context"
	"errors"
	"os"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// hitchConfig: while the file `refuse` exists everything is refused, with the advice to come again
// after `retry_after`; the OTLP receiver makes a 429 with a Retry-After of that. While the file
// `hold` exists what has come is passed on, but not answered.
type hitchConfig struct {
	Refuse     string        `mapstructure:"refuse"`
	RetryAfter time.Duration `mapstructure:"retry_after"`
	Hold       string        `mapstructure:"hold"`
}

// Validate refuses what could not be told in a header of whole seconds.
func (config *hitchConfig) Validate() error {
	if config.RetryAfter < time.Second || config.RetryAfter%time.Second != 0 {
		return errors.New("hitch needs a retry_after of whole seconds")
	}
	return nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// around does `pass` between the two hitches.
func (config *hitchConfig) around(ctx context.Context, pass func() error) error {
	if exists(config.Refuse) {
		refusal, err := status.New(codes.ResourceExhausted, "too much, says "+config.Refuse).
			WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(config.RetryAfter)})
		if err != nil {
			return err
		}
		return refusal.Err()
	}
	err := pass()
	for exists(config.Hold) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	return err
}

// hitch is the processor; one of the two consumers is set.
type hitch struct {
	component.StartFunc
	component.ShutdownFunc
	config *hitchConfig
	traces consumer.Traces
	logs   consumer.Logs
}

func (*hitch) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (h *hitch) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	return h.config.around(ctx, func() error { return h.traces.ConsumeTraces(ctx, traces) })
}

func (h *hitch) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	return h.config.around(ctx, func() error { return h.logs.ConsumeLogs(ctx, logs) })
}

func newHitchFactory() processor.Factory {
	return processor.NewFactory(component.MustNewType("hitch"),
		func() component.Config { return &hitchConfig{RetryAfter: time.Second} },
		processor.WithTraces(func(_ context.Context, _ processor.Settings, config component.Config,
			next consumer.Traces) (processor.Traces, error) {
			return &hitch{config: config.(*hitchConfig), traces: next}, nil
		}, component.StabilityLevelDevelopment),
		processor.WithLogs(func(_ context.Context, _ processor.Settings, config component.Config,
			next consumer.Logs) (processor.Logs, error) {
			return &hitch{config: config.(*hitchConfig), logs: next}, nil
		}, component.StabilityLevelDevelopment))
}
