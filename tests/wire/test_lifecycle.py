"""Starting, being ready, ending; options and what is told about them."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from service import QUIET, ROOT, Service, binary, environment
from wire import Connection, ask, eventually, request


def run(*arguments, env=QUIET, timeout=20):
    """The program until it ends: (exit code, stdout, stderr)."""
    result = subprocess.run([binary(), *arguments], capture_output=True, timeout=timeout,
                            env=environment(env), stdin=subprocess.DEVNULL)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def flags():
    """Flags and variables of src/options.def."""
    text = (ROOT / "src/options.def").read_text()
    return re.findall(r'^OPTION\(\w+,\s*"([a-z-]+)",\s*"(\w+)"', text, re.M)


# ---- options ------------------------------------------------------------------------------------

def test_help_names_every_option_and_variable():
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert len(flags()) > 20
    for flag, variable in flags():
        assert f"--{flag}" in out and variable in out
    assert max(len(line) for line in out.splitlines()) <= 100


def test_who_cannot_be_told_gets_a_status():
    with open("/dev/full", "wb") as full:
        result = subprocess.run([binary(), "--help"], stdout=full, stderr=subprocess.PIPE,
                                env=environment(QUIET), stdin=subprocess.DEVNULL, timeout=20)
    assert result.returncode == 1
    assert json.loads(result.stderr)["message"] == "cannot write to stdout"


def test_version():
    code, out, err = run("--version")
    assert (code, err) == (0, "")
    assert re.match(r"glassbox \d+\.\d+\.\d+", out)


def test_print_config_says_where_each_value_came_from():
    code, out, err = run("--print-config", "--workers", "3",
                         env={"GLASSBOX_MESSAGE": "from the environment", "GLASSBOX_WORKERS": "2",
                              "OTEL_SERVICE_NAME": "shop",
                              "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret"})
    assert (code, err) == (0, "")
    assert "secret" not in out

    def line(name):
        return next(text for text in out.splitlines() if name in text)
    assert line("GLASSBOX_WORKERS").split() == ["flag", "GLASSBOX_WORKERS=3"]
    assert line("GLASSBOX_MESSAGE").split(None, 1) == [
        "environment", "GLASSBOX_MESSAGE=from the environment"]
    assert line("GLASSBOX_DRAIN_DELAY").split()[0] == "default"
    assert line("OTEL_SERVICE_NAME").split() == ["environment", "OTEL_SERVICE_NAME=shop"]
    for _, variable in flags():
        assert variable in out


def test_flag_beats_variable_beats_default():
    with Service("--message", "flag", env={**QUIET, "GLASSBOX_MESSAGE": "variable"}) as service:
        assert json.loads(ask(service.public, "/").body)["message"] == "flag"
    with Service(env={**QUIET, "GLASSBOX_MESSAGE": "variable"}) as service:
        assert json.loads(ask(service.public, "/").body)["message"] == "variable"
    with Service(env={**QUIET, "GLASSBOX_MESSAGE": ""}) as service:
        assert "Automate" in json.loads(ask(service.public, "/").body)["message"]


def test_errors_are_told_by_name_all_at_once():
    code, out, err = run("--listen", "nowhere", "--workers", "65", "--random-error-ratio", "1.1",
                         "--no-such-flag", "1", "--timestamp-unit", "us", "--idle-timeout", "5",
                         env={**QUIET, "GLASSBOX_MAX_BODY": "2GiB", "GLASSBOX_MAX_HEAD": "big"})
    assert code == 2
    for name in ("--listen", "--workers", "--random-error-ratio", "--no-such-flag",
                 "--timestamp-unit", "--idle-timeout", "GLASSBOX_MAX_BODY", "GLASSBOX_MAX_HEAD"):
        assert name in out + err, name


@pytest.mark.parametrize("arguments", [("--workers",), ("--workers", ""), ("stray",), ("--",  "x"),
                                       ("--workers=-1",), ("--workers", "1x"),
                                       ("--max-body", "18446744073709551616"),
                                       ("--listen", "127.0.0.1:65536"), ("--listen", "127.0.0.1"),
                                       ("--admin-listen", "[::1:80")],
                         ids=lambda arguments: " ".join(arguments))
def test_bad_arguments(arguments):
    code, _, err = run(*arguments)
    assert code == 2 and err


def test_unknown_variable_of_ours_is_told_not_fatal():
    with Service(env={**QUIET, "GLASSBOX_MESSAGGE": "typo"}) as service:
        assert service.wait_message(
            lambda m: m["level"] == "warn" and "GLASSBOX_MESSAGGE" in json.dumps(m))


def test_diagnostics_are_json_lines_with_level_and_time():
    with Service() as service:
        service.stop()
    for message in service.messages:
        assert {"time", "level", "component", "message"} <= set(message)
    listening = next(m for m in service.messages if m["message"] == "listening")
    assert (listening["component"], listening["level"]) == ("server", "info")


def test_log_level():
    code, _, err = run("--listen", "127.0.0.1:0", "--log-level", "error", "--workers", "x")
    assert code == 2 and "--workers" in err


# ---- listening ----------------------------------------------------------------------------------

def test_several_listeners_and_families():
    with Service(listen=("127.0.0.1:0", "127.0.0.3:0", "[::1]:0")) as service:
        for address in service.addresses:
            assert ask(address).status == 200
        assert {host for host, _ in service.addresses} == {"127.0.0.1", "127.0.0.3", "::1"}


def test_any_address_takes_both_families():
    with Service(listen=("*:0",)) as service:
        port = service.public[1]
        assert ask(("127.0.0.1", port)).status == 200
        assert ask(("::1", port)).status == 200
        assert service.log.wait_count(2) == 2
        assert {entry["c-ip"] for entry in service.log.entries} == {"127.0.0.1", "::1"}


def test_address_in_use():
    """No retry, no other port: an end that says which address, and leaves its owner alone."""
    with Service() as service:
        host, port = service.public
        for arguments in (("--listen", f"{host}:{port}"),
                          ("--listen", "127.0.0.1:0", "--admin-listen", f"{host}:{port}")):
            check_refused_start(f"{host}:{port}", "in use", *arguments)
        assert ask(service.public).status == 200


def test_address_in_use_leaves_the_log_alone(tmp_path):
    """Most likely it is the log of the one who has the address."""
    path = tmp_path / "access.log"
    with Service(log=path) as service:
        ask(service.public)
        assert eventually(lambda: "/demo/hello" in path.read_text())
        host, port = service.public
        before = path.read_bytes()
        check_refused_start(f"{host}:{port}", "in use", "--listen", f"{host}:{port}",
                            "--access-log", str(path), "--access-log-fields", "date time")
        assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["access.log"], "set aside for nothing"


def test_address_of_another_machine():
    check_refused_start("192.0.2.1:8080", "assign", "--listen", "192.0.2.1:8080")


def check_refused_start(address, reason, *arguments):
    """Exit 1, and one error in the diagnostics, which names the address and why."""
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    messages = [json.loads(line) for line in err.splitlines()]
    error, = [m for m in messages if m["level"] == "error"]
    assert error["address"] == address
    assert reason in error["error"]
    assert "reconciliation" not in {m["component"] for m in messages}, "nothing was served"


@pytest.mark.parametrize("target, public, operators", [
    ("/", 200, 404), ("/demo/hello", 200, 404), ("/demo/random-error", 200, 404),
    ("/demo/work?cpu_ms=0", 200, 404), ("/metrics", 200, 200), ("/livez", 404, 200),
    ("/readyz", 404, 200), ("/version", 404, 200)])
def test_sides(sides, target, public, operators):
    assert ask(sides.public, target).status == public
    assert ask(sides.admin, target).status == operators


@pytest.fixture(scope="module")
def sides():
    with Service("--random-error-ratio", "0", admin=True) as service:
        yield service


def test_both_sides_are_in_the_books(sides):
    for address, route in ((sides.admin, "/livez"), (sides.public, None)):
        span_id = ask(address, "/livez").trace[1]
        entry = sides.log.wait(lambda entry: entry["x-span-id"] == span_id)
        assert (entry["x-route"], entry["s-port"]) == (route, str(address[1]))


# ---- ready, and no longer -----------------------------------------------------------------------

def test_readiness_flips_at_sigterm_and_service_goes_on():
    with Service("--drain-delay", "1s") as service:
        assert ask(service.public, "/readyz").status == 200
        with Connection(service.public) as kept:
            kept.ask()
            start = time.monotonic()
            service.signal(signal.SIGTERM)
            assert eventually(lambda: ask(service.public, "/readyz").status == 503, timeout=0.8)
            assert ask(service.public, "/livez").status == 200
            assert kept.ask().status == 200
        assert service.wait() == 0
        assert time.monotonic() - start >= 0.95
        service.stop()


@pytest.mark.parametrize("admin", [False, True], ids=["one listener", "operators apart"])
def test_ready_through_a_whole_life(admin):
    """/readyz and its gauge agree at every step; /livez never wavers; users are served until the
    delay is over, and whoever arrived by then to the end."""
    with Service("--drain-delay", "3s", admin=admin) as service:
        def state():
            return (ask(service.operators, "/readyz").status, service.value("glassbox_ready"),
                    ask(service.operators, "/livez").status)
        assert state() == (200, 1, 200)
        with Connection(service.public) as slow:
            slow.send(request("/demo/hello?delay=6000"))
            service.signal()
            assert eventually(lambda: state() == (503, 0, 200), timeout=2.5)
            assert ask(service.public).status == 200, "not ready, and still serving"
            refused = ask(service.operators, "/readyz", headers=[("Accept", "text/plain")])
            assert b"draining" in refused.body
            assert eventually(lambda: refuses(service.public)), "the delay is over"
            if admin:
                assert state() == (503, 0, 200), "operators are answered while others finish"
            assert slow.response().status == 200
        service.stop()
    probes = [(e["x-route"], e["sc-status"]) for e in service.log.entries]
    assert ("/readyz", "503") in probes and ("/livez", "503") not in probes


def refuses(address):
    """Whether nothing listens there any more."""
    try:
        Connection(address).close()
    except ConnectionError:
        return True
    return False


def test_sigint_is_sigterm():
    with Service() as service:
        ask(service.public)
        service.signal(signal.SIGINT)
        service.stop()


def test_second_signal_ends_it_at_once():
    service = Service("--drain-delay", "60s")
    try:
        service.signal(signal.SIGTERM)
        assert eventually(lambda: ask(service.public, "/readyz").status == 503)
        start = time.monotonic()
        service.signal(signal.SIGTERM)
        code = service.wait(10)
        assert time.monotonic() - start < 2
        assert code != 0, "an end at once is not a clean one"
    finally:
        service.kill()


def test_sighup_without_a_file_is_harmless():
    with Service() as service:
        for _ in range(5):
            service.signal(signal.SIGHUP)
        assert ask(service.public).status == 200


def test_idle_stop_is_quick():
    with Service() as service:
        with Connection(service.public) as connection:
            connection.ask()
            start = time.monotonic()
            service.stop()
            assert time.monotonic() - start < 2
    assert service.reconciliation["finished"] == 1


@pytest.mark.root
def test_runs_as_pid_1(collector):
    """In a PID namespace of its own, as in an image from scratch: signals still end it."""
    with Service(env=collector.env(), wrapper=("unshare", "--pid", "--fork", "--kill-child")) \
            as service:
        response = ask(service.public)
        assert response.status == 200
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(service.pid)],
                                  capture_output=True, check=True).stdout.split()
        os.kill(int(children[0]), signal.SIGTERM)
        assert service.wait() == 0
        service.stop()
        assert collector.wait(*response.trace[:2])
