"""The dashboards, one a module: each has a `board`. The order is that of the links between them."""

NAMES = ("service", "slo", "saturation", "telemetry", "incident", "autoscaling", "load_test")
