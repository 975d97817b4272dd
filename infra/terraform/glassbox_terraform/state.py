"""Where state lies. The bootstrap's lies in the bucket that it makes: the first time it is kept beside it until there
is one, and the last time it is taken out again, as nothing can destroy what it is kept in."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from . import tools
from .organisation import Failed, Target

OVERRIDE = "backend_override.tf"
LOCAL = 'terraform {\n  backend "local" {}\n}\n'


def there(target: Target) -> bool:
    """Whether the bucket exists."""
    try:
        tools.aws("s3api", "head-bucket", "--bucket", target.bucket, role=target.role, region=target.region)
    except Failed as error:
        if "404" in str(error) or "Not Found" in str(error):
            return False
        raise
    return True


def enter(target: Target) -> None:
    """`terraform init`: with the lock file as it is committed, and the state where it belongs."""
    local = target.folder / OVERRIDE
    if local.exists() and target.environment == "bootstrap":
        tools.terraform(target, "init", "-input=false", "-lockfile=readonly", "-reconfigure", quiet=True)
        return
    tools.terraform(target, "init", "-input=false", "-lockfile=readonly", "-reconfigure", *target.backend(), quiet=True)


def begin_local(target: Target) -> None:
    """Before there is a bucket."""
    (target.folder / OVERRIDE).write_text(LOCAL)


def move_in(target: Target) -> None:
    """From the file beside it into the bucket; the file goes."""
    (target.folder / OVERRIDE).unlink()
    tools.terraform(target, "init", "-input=false", "-lockfile=readonly", "-migrate-state", "-force-copy",
                    *target.backend(), quiet=True)
    for name in ("terraform.tfstate", "terraform.tfstate.backup"):
        (target.folder / name).unlink(missing_ok=True)


def move_out(target: Target) -> None:
    """From the bucket into a file beside it."""
    begin_local(target)
    tools.terraform(target, "init", "-input=false", "-lockfile=readonly", "-migrate-state", "-force-copy", quiet=True)


def contents(target: Target) -> dict[str, int]:
    """How many resources each environment's state in the bucket has: a state stays when all in it is destroyed."""
    found = {}
    listed = tools.aws("s3api", "list-objects-v2", "--bucket", target.bucket, region=target.region)
    for key in (each["Key"] for each in listed.get("Contents", [])):
        if key.endswith("/terraform.tfstate"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "state"
                tools.aws("s3api", "get-object", "--bucket", target.bucket, "--key", key, str(path), region=target.region)
                found[key.split("/")[0]] = len(json.loads(path.read_text())["resources"])
    return found


def attributes(target: Target, kind: str) -> list[dict]:
    """Of each resource of a type in the environment's state."""
    pulled = json.loads(tools.terraform(target, "state", "pull", quiet=True) or '{"resources": []}')
    managed = [each for each in pulled["resources"] if (each["mode"], each["type"]) == ("managed", kind)]
    return [instance["attributes"] for resource in managed for instance in resource["instances"]]


def forget(target: Target) -> None:
    """Nothing is kept any more."""
    for name in (OVERRIDE, "terraform.tfstate", "terraform.tfstate.backup"):
        (target.folder / name).unlink(missing_ok=True)
