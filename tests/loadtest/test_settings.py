"""What a run is told: defaults of the workload, the environment over them, the command line over that; and what is
wrong is said by name, all at once, with what is allowed."""

import pytest

from glassbox_load import settings
from glassbox_load.refused import Refused


def test_the_command_line_overrules_the_environment_and_that_the_workload():
    read = settings.read("average", ["RATE=7"], {"RATE": "6", "RAMP": "2s", "SAMPLED": ""})
    assert (read["RATE"], read["RAMP"], read["DURATION"], read["SAMPLED"]) == (7, 2, 120, 1)
    assert read.text["RATE"] == "7" and read.given == {"RATE", "RAMP"}


def test_a_workload_has_its_own_settings_alone():
    assert "BASE_RATE" in settings.read("spike", [], {})
    assert "BASE_RATE" not in settings.read("average", [], {"BASE_RATE": "5"})


@pytest.mark.parametrize("text, seconds", [("500ms", 0.5), ("90s", 90), ("1m30s", 90), ("1.5m", 90), ("1h", 3600)])
def test_durations(text: str, seconds: float):
    assert settings.seconds(text) == seconds


def test_shares_of_the_mix_add_up_to_one():
    assert settings.read("smoke", ["MIX=hello:3,work:1,random_error:0"], {})["MIX"] == {"hello": 0.75, "work": 0.25}


BAD = [
    ("RATE=abc", "RATE=abc: not a number from 0.1 to 100000"),
    ("RATE=1_000", "RATE=1_000: not a number from"),
    ("RATE=nan", "RATE=nan: not a number from"),
    ("RATE=0", "RATE=0: not a number from"),
    ("RATE=-5", "RATE=-5: not a number from"),
    ("RATE=1e9", "RATE=1e9: not a number from"),
    ("DURATION=5", r"DURATION=5: not a duration \(500ms, 30s, 1m30s\) from 1s to 86400s"),
    ("DURATION=5 s", "DURATION=5 s: not a duration"),
    ("DURATION=s", "DURATION=s: not a duration"),
    ("DURATION=0s", "DURATION=0s: not a duration"),
    ("DURATION=48h", "DURATION=48h: not a duration"),
    ("MIX=", "MIX=: `` is no NAME:WEIGHT, each name once, of hello, random_error, work"),
    ("MIX=hello", "`hello` is no NAME:WEIGHT"),
    ("MIX=hello:1,hello:2", "`hello:2` is no NAME:WEIGHT, each name once"),
    ("MIX=metrics:1", "`metrics:1` is no NAME:WEIGHT"),
    ("MIX=hello:-1", "`hello:-1` is no NAME:WEIGHT"),
    ("MIX=hello:0", "MIX=hello:0: no weight is above 0"),
    ("SAMPLED=1.5", "SAMPLED=1.5: not a number from 0 to 1"),
    ("TESTID=a b", "TESTID=a b: not 1 to 64 of"),
    ("TESTID=" + "a" * 65, "not 1 to 64 of"),
    ("TARGET=localhost", r"TARGET=localhost: not http://HOST\[:PORT\]"),
    ("TARGET=http://a/b", "TARGET=http://a/b: not"),
    ("FAULTS=a,b", "FAULTS=a,b: not a plan's name"),
    ("TIMEOUT=1h", "TIMEOUT=1h: not a duration"),
    ("RATES=3", "`RATES=3` is no setting: NAME=value, of TARGET, ALLOW_HOST, RATE, DURATION"),
    ("BASE_RATE=3", "`BASE_RATE=3` is no setting"),
    ("RATE", "`RATE` is no setting: NAME=value"),
]


@pytest.mark.parametrize("word, told", BAD, ids=[word[:24] for word, _ in BAD])
def test_what_is_wrong_is_told(word: str, told: str):
    with pytest.raises(Refused, match=told):
        settings.read("smoke", [word], {})


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(Refused) as refusal:
        settings.read("smoke", ["RATE=x", "DURATION=y"], {"SAMPLED": "z"})
    assert len(str(refusal.value).splitlines()) == 3


def test_workload_that_is_none():
    with pytest.raises(Refused, match="`load` is no workload: smoke, average, stress, spike, soak, breakpoint"):
        settings.read("load", [], {})


@pytest.mark.parametrize("workload", settings.TABLE["workloads"])
def test_every_default_is_allowed_and_explained(workload: str):
    read = settings.read(workload, [], {})
    said = settings.help_of(workload)
    assert all(f"{name}={value} " in said for name, value in read.text.items())
    assert all(settings.TABLE["settings"][name]["help"] in said for name in read.text)
