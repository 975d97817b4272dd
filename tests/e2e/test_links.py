"""The doctor: all green; then each link broken on purpose, named with the line to change, and green again."""

import re

import pytest

from breaks import BREAKS, Break, World
from doctor import LINKS, Doctor
from wire import eventually

PATIENCE = 180  # seconds until what was changed has come through: operator, reloader, scrapes, relist, HPA
# What cannot be green where a part is not there, and what stays unproved by it.
NO_GRAFANA = {"dashboards-loaded"}


@pytest.fixture(scope="module")
def doctor(cluster, stack, service, results, tmp_path_factory) -> Doctor:
    """What it says is left in doctor.txt."""
    return Doctor(cluster, service, stack.monitoring, tmp_path_factory.mktemp("doctor"), results / "doctor.txt")


def is_green(diagnosis) -> bool:
    """Nothing broken, and nothing left out but what needs a Grafana."""
    return diagnosis.status == 0 and not diagnosis.are("broken") and diagnosis.are("skipped") <= NO_GRAFANA


def test_all_is_green(doctor: Doctor, traffic):
    found = doctor.look(wait=PATIENCE)
    doctor.keep("all green", found)
    assert list(found.links) == LINKS and is_green(found), found.text


@pytest.mark.parametrize("broken", BREAKS, ids=lambda one: one.name.replace(" ", "-"))
def test_a_broken_link_is_named(broken: Break, cluster, service, doctor: Doctor, traffic):
    """It is the first that is broken, its fix has the line, what is broken besides follows from it; and mended it is
    green."""
    def named() -> bool:
        found.append(doctor.look())
        return found[-1].are("broken") and not found[-1].are("broken") - {broken.link} - broken.follows and re.search(
            broken.fix, found[-1].links[broken.link]["fix"])

    found = []
    undo = broken.apply(World(cluster, service))
    try:
        assert eventually(named, PATIENCE, 1), found[-1].text
        doctor.keep(f"broken: {broken.name}", found[-1])
        assert found[-1].status == 1
        first = next(name for name in LINKS if found[-1].links[name]["state"] == "broken")
        assert first == broken.link, found[-1].text
    finally:
        undo()
    mended = doctor.look(wait=PATIENCE)
    assert is_green(mended), mended.text


def test_every_link_is_broken_once():
    """A link that nobody breaks is not known to be watched."""
    assert {broken.link for broken in BREAKS} == set(LINKS)
