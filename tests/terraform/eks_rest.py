"""The part of EKS that moto does not have: add-ons, access entries with their policies, Pod Identity associations.

Methods for moto's own EKSResponse, named as it names them, so that moto routes, parses and serializes by AWS's own
service model; what they keep lies in one dictionary a cluster. Everything is ready at once. A cluster that still has
an add-on or an association cannot be deleted here, though AWS would take them with it: so that a test sees what
Terraform forgot.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

from moto.core.responses import ActionResult
from moto.eks import urls
from moto.eks.exceptions import ResourceInUseException, ResourceNotFoundException
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse

PATHS = ("addons", "access-entries", "pod-identity-associations")
DEFAULT_VERSION = "v1.0.0-eksbuild.1"


class Shelf:
    """What one cluster has: kind -> key -> object."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, dict[str, Any]]] = {path: {} for path in PATHS}

    def get(self, kind: str, key: str) -> dict[str, Any]:
        """The object, or AWS's own refusal."""
        if key not in self.kinds[kind]:
            raise ResourceNotFoundException(message=f"No {kind} found for: {key}")
        return self.kinds[kind][key]


SHELVES: dict[str, Shelf] = {}


def shelf(self: EKSResponse) -> Shelf:
    """Of the cluster that is asked; an unknown one is refused by moto."""
    cluster = self.eks_backend.describe_cluster(self._get_param("name"))
    return SHELVES.setdefault(cluster.arn, Shelf())


def now() -> datetime:
    return datetime.now(timezone.utc)


def arn(self: EKSResponse, kind: str, *parts: str) -> str:
    account, cluster = self.current_account, self._get_param("name")
    return f"arn:aws:eks:{self.region}:{account}:{kind}/{'/'.join((cluster, *parts))}"


def in_path(self: EKSResponse, name: str) -> str:
    """A parameter that may have been written into the path, where its slashes are escaped."""
    return unquote(self._get_param(name))


def params(self: EKSResponse, *names: str) -> dict[str, Any]:
    """Those of the request's parameters that were given."""
    return {name: value for name in names if (value := self._get_param(name)) is not None}


def create_addon(self: EKSResponse) -> ActionResult:
    name = self._get_param("addonName")
    addon = {"clusterName": self._get_param("name"), "status": "ACTIVE", "addonVersion": DEFAULT_VERSION,
             "createdAt": now(), "modifiedAt": now(), "addonArn": arn(self, "addon", name, str(uuid.uuid4())),
             "health": {"issues": []}, "tags": {},
             **params(self, "addonName", "addonVersion", "configurationValues", "serviceAccountRoleArn", "tags")}
    associations = []
    for given in self._get_param("podIdentityAssociations") or []:
        associations.append(associate(self, "kube-system", given["serviceAccount"], given["roleArn"], addon["addonArn"]))
    addon["podIdentityAssociations"] = [association["associationArn"] for association in associations]
    shelf(self).kinds["addons"][name] = addon
    return ActionResult({"addon": addon})


def describe_addon(self: EKSResponse) -> ActionResult:
    return ActionResult({"addon": shelf(self).get("addons", self._get_param("addonName"))})


def delete_addon(self: EKSResponse) -> ActionResult:
    kept = shelf(self)
    addon = kept.get("addons", self._get_param("addonName"))
    for key, association in list(kept.kinds["pod-identity-associations"].items()):
        if association.get("ownerArn") == addon["addonArn"]:
            del kept.kinds["pod-identity-associations"][key]
    del kept.kinds["addons"][addon["addonName"]]
    return ActionResult({"addon": addon | {"status": "DELETING"}})


def create_access_entry(self: EKSResponse) -> ActionResult:
    principal = in_path(self, "principalArn")
    if principal in shelf(self).kinds["access-entries"]:
        raise ResourceInUseException(message=f"The specified access entry already exists: {principal}")
    entry = {"clusterName": self._get_param("name"), "createdAt": now(), "modifiedAt": now(), "type": "STANDARD",
             "accessEntryArn": arn(self, "access-entry", str(uuid.uuid4())), "username": principal, "tags": {},
             "kubernetesGroups": [], **params(self, "principalArn", "kubernetesGroups", "tags", "type", "username")}
    shelf(self).kinds["access-entries"][principal] = entry | {"policies": {}}
    return ActionResult({"accessEntry": entry})


def describe_access_entry(self: EKSResponse) -> ActionResult:
    entry = shelf(self).get("access-entries", in_path(self, "principalArn"))
    return ActionResult({"accessEntry": {name: value for name, value in entry.items() if name != "policies"}})


def delete_access_entry(self: EKSResponse) -> ActionResult:
    kept = shelf(self)
    kept.get("access-entries", in_path(self, "principalArn"))
    del kept.kinds["access-entries"][in_path(self, "principalArn")]
    return ActionResult({})


def associate_access_policy(self: EKSResponse) -> ActionResult:
    entry = shelf(self).get("access-entries", in_path(self, "principalArn"))
    policy = {"policyArn": in_path(self, "policyArn"), "accessScope": self._get_param("accessScope"),
              "associatedAt": now(), "modifiedAt": now()}
    entry["policies"][policy["policyArn"]] = policy
    return ActionResult({"clusterName": entry["clusterName"], "principalArn": entry["principalArn"],
                         "associatedAccessPolicy": policy})


def list_associated_access_policies(self: EKSResponse) -> ActionResult:
    entry = shelf(self).get("access-entries", in_path(self, "principalArn"))
    return ActionResult({"clusterName": entry["clusterName"], "principalArn": entry["principalArn"],
                         "associatedAccessPolicies": list(entry["policies"].values())})


def disassociate_access_policy(self: EKSResponse) -> ActionResult:
    entry = shelf(self).get("access-entries", in_path(self, "principalArn"))
    entry["policies"].pop(in_path(self, "policyArn"), None)
    return ActionResult({})


def associate(self: EKSResponse, namespace: str, account: str, role: str, owner: str | None = None) -> dict[str, Any]:
    """A Pod Identity association: one for each service account."""
    kept = shelf(self).kinds["pod-identity-associations"]
    for other in kept.values():
        if (other["namespace"], other["serviceAccount"]) == (namespace, account):
            raise ResourceInUseException(message=f"Association already exists: {other['associationId']}")
    key = f"a-{uuid.uuid4().hex[:17]}"
    kept[key] = {"clusterName": self._get_param("name"), "namespace": namespace, "serviceAccount": account,
                 "roleArn": role, "associationId": key, "createdAt": now(), "modifiedAt": now(), "tags": {},
                 "associationArn": arn(self, "podidentityassociation", key), **({"ownerArn": owner} if owner else {})}
    return kept[key]


def create_pod_identity_association(self: EKSResponse) -> ActionResult:
    made = associate(self, *(self._get_param(name) for name in ("namespace", "serviceAccount", "roleArn")))
    made.update(params(self, "tags"))
    return ActionResult({"association": made})


def describe_pod_identity_association(self: EKSResponse) -> ActionResult:
    return ActionResult({"association": shelf(self).get("pod-identity-associations", self._get_param("associationId"))})


def delete_pod_identity_association(self: EKSResponse) -> ActionResult:
    kept = shelf(self)
    gone = kept.get("pod-identity-associations", self._get_param("associationId"))
    del kept.kinds["pod-identity-associations"][gone["associationId"]]
    return ActionResult({"association": gone})


METHODS = (create_addon, describe_addon, delete_addon, create_access_entry, describe_access_entry, delete_access_entry,
           associate_access_policy, list_associated_access_policies, disassociate_access_policy,
           create_pod_identity_association, describe_pod_identity_association, delete_pod_identity_association)


def install() -> None:
    """Gives moto the methods and their addresses. To be called before its application is made."""
    for method in METHODS:
        if hasattr(EKSResponse, method.__name__):
            raise RuntimeError(f"moto has eks.{method.__name__} itself by now: take ours away")
        setattr(EKSResponse, method.__name__, method)
    for path in PATHS:
        for rest in ("", "/(?P<rest>.+)"):
            urls.url_paths[f"{{0}}/clusters/(?P<name>[^/]+)/{path}{rest}$"] = EKSResponse.dispatch
    delete = EKSBackend.delete_cluster

    def delete_cluster(self: EKSBackend, name: str) -> Any:
        cluster = self.describe_cluster(name)
        left = {kind: sorted(kept) for kind, kept in SHELVES.get(cluster.arn, Shelf()).kinds.items() if kept}
        if left:
            raise ResourceInUseException(message=f"the cluster still has {left}")
        return delete(self, name)

    EKSBackend.delete_cluster = delete_cluster  # type: ignore[method-assign]
