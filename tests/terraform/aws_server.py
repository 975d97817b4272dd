"""An AWS on the loopback: moto, with the part of EKS that it lacks (eks_rest.py) and what it forgets (memory.py), that notes
what is asked.

    python aws_server.py --port-file FILE --calls FILE

`--calls` gets a line for each request of an assumed role, `ARN service action`: what Terraform really asks, to be held
against what its role may do.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading
from pathlib import Path
from typing import Any

# AWS's own policies are there to be attached, and a certificate is issued as soon as its record is seen. moto reads
# these when it is imported.
os.environ.update({"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_ACM_VALIDATION_WAIT": "1"})

import eks_rest  # noqa: E402
import memory  # noqa: E402
from moto.core.responses import BaseResponse  # noqa: E402
from moto.iam.access_control import IAMPolicyStatement, PermissionResult  # noqa: E402
from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication, MotoRequestHandler, create_backend_app,
)
from moto.sts.models import sts_backends  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402


def note_calls(path: Path) -> None:
    """From now on every call of an assumed role is noted."""
    lock, call = threading.Lock(), BaseResponse.call_action

    def noted(self: BaseResponse) -> Any:
        backend = sts_backends[self.current_account]["aws"]
        if assumed := backend.get_assumed_role_from_access_key(self.access_key):
            with lock, path.open("a") as file:
                file.write(f"{assumed.role_arn} {self.service_name} {self._get_action()}\n")
        return call(self)

    BaseResponse.call_action = noted  # type: ignore[method-assign]


def as_if_by_tls() -> None:
    """The loopback has no TLS, and moto reads no conditions: a bucket that refuses what comes without TLS would refuse
    everything. That it does refuse is shown by test_policies.py."""
    permitted = IAMPolicyStatement.is_action_permitted

    def read(self: IAMPolicyStatement, *asked: Any) -> PermissionResult:
        if self._statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}:
            return PermissionResult.NEUTRAL
        return permitted(self, *asked)

    IAMPolicyStatement.is_action_permitted = read  # type: ignore[method-assign]


def main() -> None:
    """Serves until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port-file", type=Path, required=True, help="gets the port once it answers")
    parser.add_argument("--calls", type=Path, required=True, help="gets a line for each call")
    given = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    eks_rest.install()
    memory.install()
    note_calls(given.calls)
    as_if_by_tls()
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True,
                         request_handler=MotoRequestHandler)
    part = given.port_file.with_suffix(".part")
    part.write_text(str(server.server_port))
    part.rename(given.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
