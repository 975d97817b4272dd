"""What Argo CD must know of its cluster: from Terraform's outputs into annotations of the cluster's Secret.

The names of outputs are those of terraform-aws-modules, those of annotations what bootstrap/applicationset.yaml reads: an
annotation that is not there is an error there, so all of them are written, and what a cluster has not is empty.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from .release import Refused

# annotation, output, whether it must be there, pattern, what is allowed
TABLE = (
    ("cluster_name", "cluster_name", True, r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", "the name of a cluster"),
    ("aws_region", "region", True, r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region such as eu-central-1"),
    ("aws_vpc_id", "vpc_id", True, r"vpc-[0-9a-f]+", "vpc- and hexadecimal digits"),
    ("aws_public_subnets", "public_subnets_cidr_blocks", True, r"[0-9./]+(,[0-9./]+)*", "a list of CIDRs"),
    ("domain", "domain", False, r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a domain such as dev.example.org"),
    ("certificate_arn", "acm_certificate_arn", False, r"arn:aws[a-z-]*:acm:.+", "the ARN of a certificate"),
)


def outputs(folder: Path | None, file: Path | None) -> dict[str, Any]:
    """`terraform output -json` of a folder, or a file that has it, as {name: value}."""
    if file:
        try:
            text, where = file.read_text(), str(file)
        except OSError as error:
            raise Refused(f"--outputs: {file}: {error.strerror}") from None
    else:
        where = f"terraform -chdir={folder} output -json"
        try:
            done = subprocess.run(["terraform", f"-chdir={folder}", "output", "-json"], capture_output=True, text=True,
                                  timeout=120, check=False, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise Refused("terraform is not in PATH; --outputs FILE takes what `terraform output -json` says") from None
        if done.returncode:
            raise Refused(f"{where}: {done.stderr.strip()}")
        text = done.stdout
    try:
        return {name: each["value"] for name, each in json.loads(text).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refused(f"{where}: is not what `terraform output -json` says") from None


def annotations(values: dict[str, Any]) -> dict[str, str]:
    """All of the table; every fault in it is named at once."""
    found, faults = {}, []
    for annotation, output, needed, pattern, allowed in TABLE:
        value = values.get(output)
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value or "")
        if not text and needed:
            faults.append(f"{output}: missing: must be {allowed}" + (
                f"; there are {', '.join(sorted(values)) or 'none'}" if output not in values else ""))
        elif text and not re.fullmatch(pattern, text):
            faults.append(f"{output} {text!r}: must be {allowed}")
        found[annotation] = text
    if found["certificate_arn"] and not found["domain"]:
        faults.append("acm_certificate_arn: is for a domain, and the output domain is empty")
    if faults:
        raise Refused("Terraform's outputs:\n  " + "\n  ".join(faults))
    return found
