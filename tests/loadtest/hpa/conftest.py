"""What the tests share: the spec that the chart's demo profile renders, as the API server hands it back."""

from typing import Any

import pytest


@pytest.fixture
def demo() -> dict[str, Any]:
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "glassbox"},
        "minReplicas": 2, "maxReplicas": 6,
        "metrics": [
            {"type": "Pods", "pods": {"metric": {"name": "http_requests_per_second"},
                                      "target": {"type": "AverageValue", "averageValue": "50"}}},
            {"type": "ContainerResource", "containerResource": {
                "name": "cpu", "container": "glassbox",
                "target": {"type": "Utilization", "averageUtilization": 70}}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 30}}}
