"""terraform and aws: found, new enough, run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from typing import Any

from .organisation import Failed, Refused, Target

TERRAFORM = (1, 11)
WHERE = {"terraform": "developer.hashicorp.com/terraform/install",
         "aws": "docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"}
ASK_SECONDS = 120
KNOWN_SECONDS = 60  # until a role that has just been made can be taken everywhere
PAUSE = 2


def need(*programs: str) -> None:
    """All of them are in PATH, terraform new enough."""
    for program in programs:
        if shutil.which(program) is None:
            raise Refused(f"{program} is not in PATH: https://{WHERE[program]}")
    if "terraform" in programs:
        said = subprocess.run(["terraform", "version", "-json"], capture_output=True, text=True, check=False).stdout
        match = re.search(r'"terraform_version":\s*"(\d+)\.(\d+)', said)
        if not match or (int(match[1]), int(match[2])) < TERRAFORM:
            raise Refused(f"terraform is {said.strip() or 'of no version'}: {TERRAFORM[0]}.{TERRAFORM[1]} or later is "
                          "needed: before, S3 has no lock file")


def aws(*arguments: str, role: str = "", region: str = "") -> Any:
    """What the AWS CLI answers, as JSON; as `role`, if given. Raises Failed with its last line."""
    environment = dict(os.environ, AWS_PAGER="", AWS_RETRY_MODE="standard")
    if region:
        environment["AWS_REGION"] = environment["AWS_DEFAULT_REGION"] = region
    if role:
        environment.update(assume(role))
    line = ["aws", *arguments, "--output", "json"]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=ASK_SECONDS, check=False, env=environment,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Failed(f"no answer within {ASK_SECONDS} s: {shlex.join(line)}") from None
    if done.returncode:
        raise Failed(f"{shlex.join(line)}: {(done.stderr.strip().splitlines() or ['says nothing'])[-1]}")
    # What changes something answers with a sentence, or not at all.
    return json.loads(done.stdout) if done.stdout.lstrip().startswith(("{", "[")) else {}


_ASSUMED: dict[str, dict[str, str]] = {}


def assume(role: str) -> dict[str, str]:
    """Credentials of a role, as variables; asked for once."""
    if role not in _ASSUMED:
        got = aws("sts", "assume-role", "--role-arn", role, "--role-session-name", "glassbox")["Credentials"]
        _ASSUMED[role] = {"AWS_ACCESS_KEY_ID": got["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": got["SecretAccessKey"],
                          "AWS_SESSION_TOKEN": got["SessionToken"]}
    return _ASSUMED[role]


def caller() -> str:
    """The account of the credentials at hand."""
    try:
        return aws("sts", "get-caller-identity")["Account"]
    except Failed as error:
        raise Refused(f"AWS does not know you: {error}\nlog in first: aws sso login, AWS_PROFILE=…") from None


def account() -> str:
    """The caller's, which takes the AWS CLI alone."""
    need("aws")
    return caller()


def allowed(target: Target, fresh: bool = False) -> None:
    """The caller may take the environment's role; one that is fresh is refused at first, as IAM tells itself in seconds."""
    deadline = time.monotonic() + (KNOWN_SECONDS if fresh else 0)
    while target.role:
        try:
            assume(target.role)
            return
        except Failed as error:
            if "AccessDenied" in str(error) and time.monotonic() < deadline:
                print(f"waiting for IAM to know the role {target.role}", flush=True)
                time.sleep(PAUSE)
                continue
            raise Refused(f"{target.environment}: {target.role} cannot be taken: {error}\nis the account bootstrapped "
                          "(infra/terraform/up bootstrap, with its credentials), and are you among its operators?"
                          ) from None


def terraform(target: Target, *arguments: str, quiet: bool = False) -> str:
    """Runs it in the environment's folder; shown as it runs, or its stdout returned."""
    line = ["terraform", f"-chdir={target.folder}", *arguments]
    done = subprocess.run(line, check=False, text=True, capture_output=quiet,
                          env=dict(os.environ, TF_IN_AUTOMATION="1", CHECKPOINT_DISABLE="1"))
    if done.returncode:
        raise Failed(f"terraform {arguments[0]} of {target.environment} failed" +
                     (f":\n{done.stderr.strip()}" if quiet else ", see above") +
                     ("; a lock that nobody holds any more: terraform force-unlock, see README"
                      if quiet and "state lock" in done.stderr else ""))
    return done.stdout or ""
