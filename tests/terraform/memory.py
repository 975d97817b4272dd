"""What moto is told and forgets: without it a second plan would find changes that nobody made.

A cluster's access, upgrades and zonal shift, a node group's updates and repair; and a launch template takes its own tags
for some of its instances'. And a bucket whose versioning has been suspended cannot be emptied of the marks of deleted
objects: each attempt ends in a fault of the server, and the provider tries for ever.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.eks.responses import EKSResponse
from moto.s3.models import FakeDeleteMarker

CLUSTER = {"accessConfig": "access_config", "upgradePolicy": "upgrade_policy", "zonalShiftConfig": "zonal_shift_config"}
NODES = {"updateConfig": "update_config", "nodeRepairConfig": "node_repair_config"}


def remembering(method: str, kind: str, names: dict[str, str]) -> None:
    """After `method`, what was given under these names is among the object's attributes."""
    original = getattr(EKSResponse, method)

    def remember(self: EKSResponse) -> ActionResult:
        result = original(self)
        thing = result.result[kind]
        for parameter, attribute in names.items():
            if (value := self._get_param(parameter)) is not None:
                setattr(thing, attribute, value)
        if kind == "nodegroup" and self._get_param("remoteAccess") is None:
            thing.remote_access = None
        return result

    setattr(EKSResponse, method, remember)


def without_its_own_tags() -> None:
    """A launch template's data as it was given."""
    original = EC2Backend.create_launch_template

    def create(self: EC2Backend, name: str, description: str, data: dict[str, Any], tags: Any) -> Any:
        data["TagSpecifications"] = [each for each in data.get("TagSpecifications", [])
                                     if each["ResourceType"] != "launch-template"]
        return original(self, name, description, data, tags)

    EC2Backend.create_launch_template = create  # type: ignore[method-assign]


def marks_can_be_deleted() -> None:
    """moto's bucket disposes of each version's body; a mark has none."""
    FakeDeleteMarker.dispose = lambda self: None  # type: ignore[attr-defined]


def install() -> None:
    """To be called before moto's application is made."""
    remembering("create_cluster", "cluster", CLUSTER)
    remembering("create_nodegroup", "nodegroup", NODES)
    without_its_own_tags()
    marks_can_be_deleted()
