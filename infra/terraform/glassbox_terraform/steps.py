"""What one command line does, one thing after another: each environment it names, or all of them from nothing, bootstrap
once in each account; and each with the credentials of its account."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import tools
from .organisation import ENVIRONMENTS, FILE, Refused, Target, read, target

ALL = "all"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Step:
    """One environment, and whose credentials make it: a profile of the AWS CLI, or "" for those at hand."""

    environment: str
    account: str = ""
    profile: str = ""

    def __str__(self) -> str:
        return f"{self.environment} of {self.account}" if self.account else self.environment

    @contextlib.contextmanager
    def credentials(self) -> Iterator[None]:
        """The profile's for as long as this lasts; keys in the environment would go before it."""
        if not self.profile:
            yield
            return
        kept = dict(os.environ)
        os.environ["AWS_PROFILE"] = self.profile
        for key in KEYS:
            os.environ.pop(key, None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept)


def profiles(given: list[str], accounts: dict[str, str]) -> dict[str, str]:
    """Of each ACCOUNT=PROFILE, by account; `accounts` are the organisation's."""
    found = {}
    for text in given:
        match = re.fullmatch(r"([0-9]{12})=(\S+)", text)
        if not match:
            raise Refused(f"--profile {text!r}: must be ACCOUNT=PROFILE, an account's 12 digits and a profile of the AWS CLI")
        found[match[1]] = match[2]
    if strangers := sorted(set(found) - set(accounts.values())):
        raise Refused(f"--profile {strangers[0]}=…: none of {FILE.name}'s accounts: {', '.join(dict.fromkeys(accounts.values()))}")
    return found


def ready(environment: str, fresh: bool = False) -> Target:
    """All that must hold before an environment is touched or asked; `fresh`: its role has just been made."""
    wanted = target(environment, tools.caller())
    tools.allowed(wanted, fresh)
    return wanted


def steps(environment: str, given: list[str]) -> list[Step]:
    """In the order of being made; those of `all` only if each account can be entered."""
    if environment not in (*ENVIRONMENTS, ALL):
        raise Refused(f"no such environment: {environment}; there are {', '.join(ENVIRONMENTS)}, and all")
    accounts = read()["accounts"]
    if environment != ALL:
        if given:
            raise Refused("--profile is for all, which enters several accounts; else: AWS_PROFILE=…")
        return [Step(environment)]
    known = profiles(given, accounts)
    first, *others = ENVIRONMENTS
    made = [Step(first, account, known.get(account, "")) for account in dict.fromkeys(accounts.values())]
    for each in made:
        with each.credentials():
            found = tools.account()
        if found != each.account:
            whose = f"those of the profile {each.profile}" if each.profile else "those at hand"
            raise Refused(f"account {each.account} needs credentials of its own: {whose} are of account {found}; "
                          f"--profile {each.account}=PROFILE")
    # bootstrap has made a role for each: its account lets its own take that, and nobody else.
    return [*made, *(Step(name, profile=known.get(accounts[name], "")) for name in others)]
