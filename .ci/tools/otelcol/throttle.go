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
	"go.opentelemetry.io/collector/processor/processorhelper"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// throttleConfig: while `file` exists everything is refused, with the advice to come again after
// `retry_after`. The OTLP receiver makes a 429 with a Retry-After of that.
type throttleConfig struct {
	File       string        `mapstructure:"file"`
	RetryAfter time.Duration `mapstructure:"retry_after"`
}

// Validate refuses what could not be told in a header of whole seconds.
func (config *throttleConfig) Validate() error {
	if config.File == "" || config.RetryAfter < time.Second || config.RetryAfter%time.Second != 0 {
		return errors.New("throttle needs a file, and a retry_after of whole seconds")
	}
	return nil
}

// check is the whole processor: nil, or the refusal.
func (config *throttleConfig) check() error {
	if _, err := os.Stat(config.File); err != nil {
		return nil
	}
	refusal, err := status.New(codes.ResourceExhausted, "too much, says "+config.File).
		WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(config.RetryAfter)})
	if err != nil {
		return err
	}
	return refusal.Err()
}

func newThrottleFactory() processor.Factory {
	return processor.NewFactory(component.MustNewType("throttle"),
		func() component.Config { return &throttleConfig{RetryAfter: time.Second} },
		processor.WithTraces(throttleTraces, component.StabilityLevelDevelopment),
		processor.WithLogs(throttleLogs, component.StabilityLevelDevelopment))
}

func throttleTraces(ctx context.Context, set processor.Settings, config component.Config,
	next consumer.Traces) (processor.Traces, error) {
	return processorhelper.NewTraces(ctx, set, config, next,
		func(_ context.Context, traces ptrace.Traces) (ptrace.Traces, error) {
			return traces, config.(*throttleConfig).check()
		})
}

func throttleLogs(ctx context.Context, set processor.Settings, config component.Config,
	next consumer.Logs) (processor.Logs, error) {
	return processorhelper.NewLogs(ctx, set, config, next,
		func(_ context.Context, logs plog.Logs) (plog.Logs, error) {
			return logs, config.(*throttleConfig).check()
		})
}
