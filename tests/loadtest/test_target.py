"""What may be loaded without saying so twice: this machine and private addresses."""

import pytest

from glassbox_load import target
from glassbox_load.refused import Refused

OURS = ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:80", "http://10.96.0.1", "http://172.31.255.255:1",
        "http://192.168.1.1", "https://[fd00::1]:443", "http://[::ffff:10.0.0.1]:1"]
OTHERS = ["http://8.8.8.8", "http://172.32.0.1", "http://[2001:4860:4860::8888]", "http://169.254.169.254",
          "http://0.0.0.0", "http://[::ffff:8.8.8.8]:1", "http://100.64.0.1"]


@pytest.mark.parametrize("url", OURS)
def test_ours(url: str):
    target.check(url, "")


@pytest.mark.parametrize("url", OTHERS)
def test_others_only_if_they_are_named_twice(url: str):
    with pytest.raises(Refused, match="neither loopback nor private; if it is yours to load, say ALLOW_HOST="):
        target.check(url, "")
    target.check(url, target.urlsplit(url).hostname or "")


def test_a_name_is_judged_by_all_of_its_addresses(monkeypatch):
    monkeypatch.setattr(target, "addresses", lambda host, port: ["10.0.0.1", "8.8.8.8"])
    with pytest.raises(Refused, match="8.8.8.8 is neither"):
        target.check("http://half.example", "")


@pytest.mark.parametrize("url, allowed, told", [
    ("http://no.such.name.invalid", "", "no.such.name.invalid has no address"),
    ("http://127.0.0.1:99999", "", "TARGET=http://127.0.0.1:99999"),
    ("http://user@127.0.0.1", "", "not http://HOST"),
    ("http://127.0.0.1", "example.com", "ALLOW_HOST=example.com: TARGET is another, 127.0.0.1"),
])
def test_what_is_no_target(url: str, allowed: str, told: str):
    with pytest.raises(Refused, match=told):
        target.check(url, allowed)
