"""Daemons with a host in Python."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import traceback
from datetime import timedelta
from typing import Any

import pyha
import pytest
from conftest import EXAMPLES
from pyha import DaemonState, events

sys.path.insert(0, str(EXAMPLES / "python"))
import host


def two_services() -> host.Cluster:
    configuration = pyha.Configuration(resources="vm: 100\n\nvm: 101\n")
    return host.Cluster(["node1", "node2", "node3"], configuration, {"vm:100": "node3", "vm:101": "node2"})


def of_type(cluster: host.Cluster, kind: type[pyha.Event]) -> list[pyha.Event]:
    return [event for _, _, event in cluster.history if isinstance(event, kind)]


def test_a_failover_with_a_host_in_python() -> None:
    cluster = two_services()
    cluster.run_for(60)
    assert cluster.places("vm:100") == ["node3"]
    cluster.nodes["node3"].cut_power()
    cluster.run_for(240)
    assert cluster.places("vm:100") == ["node1"]
    assert of_type(cluster, events.ServiceRecovered) == [events.ServiceRecovered("vm:100", "node3", "node1")]


def test_a_command_moves_a_service() -> None:
    cluster = two_services()
    cluster.run_for(60)
    cluster.shared.commands.append("migrate vm:100 node1")
    cluster.run_for(60)
    assert cluster.places("vm:100") == ["node1"]


class Boom(Exception):
    """An exception that the package knows nothing of."""


@pytest.mark.parametrize("method", ["refresh", "members", "take_lock", "manager_status", "configuration", "event"])
def test_an_exception_of_the_host_comes_out_unchanged(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    cluster.run_for(60)
    boom = Boom("x")
    exploded = []
    feed = host.Daemon.feed_watchdog

    def explode(*_: Any) -> Any:
        exploded.append(True)
        raise boom

    def feed_unless_exploded(daemon: host.Daemon, not_after: float) -> pyha.FeedOutcome:
        assert not exploded, "fed after an exception"
        return feed(daemon, not_after)

    with monkeypatch.context() as patched:
        patched.setattr(host.Daemon, method, explode)
        patched.setattr(host.Daemon, "feed_watchdog", feed_unless_exploded)
        if method == "event":
            cluster.shared.commands.append("migrate vm:100 node1")
        with pytest.raises(Boom) as caught:
            cluster.run_for(30)
    assert caught.value is boom
    assert "explode" in "".join(traceback.format_tb(boom.__traceback__))
    cluster.run_for(60)
    assert cluster.places("vm:100") in (["node3"], ["node1"]), "the daemons go on"


def test_a_host_error_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    cluster.run_for(60)

    def refuse(*_: Any) -> Any:
        raise pyha.HostError("the store is full")

    with monkeypatch.context() as patched:
        patched.setattr(host.Daemon, "write_manager_status", refuse)
        cluster.run_for(20)
    failed = of_type(cluster, events.HostCallFailed)
    assert events.HostCallFailed(pyha.HostOperation.WRITE_MANAGER_STATUS, "the store is full") in failed


def test_an_answer_of_the_wrong_type_names_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    monkeypatch.setattr(host.Daemon, "members", lambda _: {"node1": "yes"})
    with pytest.raises(TypeError, match=r"the host's members\(\) returned a dict"):
        cluster.run_for(30)
    monkeypatch.undo()
    monkeypatch.setattr(host.Daemon, "take_lock", lambda *_: "perhaps")
    with pytest.raises(ValueError, match="perhaps"):
        cluster.run_for(30)


def test_an_answer_that_was_forgotten_is_not_taken_for_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    cluster.run_for(60)

    class Forgetful(host.Guests):
        def is_running(self, sid: str) -> bool:
            return None  # type: ignore[return-value]

    with pytest.raises(TypeError, match=r"the host's is_running\(\) returned a NoneType"):
        pyha.run_job(job("request_stop"), "node3", Forgetful(cluster.nodes["node3"]))
    monkeypatch.setattr(host.Daemon, "is_quorate", lambda _: 1)
    with pytest.raises(TypeError, match=r"the host's is_quorate\(\) returned a int"):
        cluster.run_for(30)


def test_a_host_cannot_call_the_daemon_that_calls_it() -> None:
    class Curious(host.Daemon):
        def refresh(self) -> None:
            crm.tick(self, 0.0)

    shared = two_services().shared
    node = host.Node("node1", shared, lambda *_: None)
    crm = pyha.Crm("node1")
    with pytest.raises(pyha.InUseError):
        crm.tick(Curious("crm", node), 0.0, wall=0)
    assert crm.state is DaemonState.WAIT_FOR_QUORUM


def test_a_daemon_that_was_asked_to_stop_exits() -> None:
    cluster = two_services()
    node = cluster.nodes["node1"]
    sink = host.Daemon("crm", node)
    crm = pyha.Crm("node1", sink=sink)
    crm.request_stop(sink)
    now = 0.0
    for _ in range(10):
        wait = crm.tick(sink, now, wall=0)
        if wait is None:
            break
        now = wait.until
    else:
        pytest.fail("it goes on")
    assert crm.tick(sink, now, wall=0) is None
    lrm = pyha.Lrm("node1")
    lrm.request_stop(pyha.StopRequest.NODE_SHUTDOWN, sink, now, wall=0)
    assert lrm.mode is pyha.LrmMode.SHUTDOWN


def test_a_manager_round_without_a_daemon() -> None:
    cluster = two_services()
    daemon = host.Daemon("crm", cluster.nodes["node1"])
    configuration = cluster.shared.configured()
    manager = pyha.Manager("node1", sink=daemon, unique=bytes(16))
    members = {"node1": True, "node2": True, "node3": True}
    for now in (0.0, 10.0, 20.0):
        manager.round(pyha.RoundInput(members=members, configuration=configuration, now=now, wall=now), daemon)
    assert dict(manager.status.nodes) == dict.fromkeys(members, pyha.NodeState.ONLINE)
    assert {sid: entry.node for sid, entry in manager.status.services.items()} == {"vm:100": "node3", "vm:101": "node2"}
    read = pyha.RoundInput.read(daemon, manager.status, 30.0, wall=30)
    assert read is not None
    assert (read.now, read.wall, read.members) == (30.0, 30, members)
    manager.resume(manager.status)
    manager.round(read, daemon)
    assert manager.imbalance_rounds == 0


def test_a_record_that_cannot_be_read_is_taken_from_the_round_before(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    cluster.run_for(60)
    daemon = host.Daemon("crm", cluster.nodes["node1"])
    status = daemon.manager_status()
    assert status is not None
    before = pyha.RoundInput.read(daemon, status, 60.0, wall=60)
    assert before is not None
    assert sorted(before.lrms) == ["node1", "node2", "node3"]

    def refuse(*_: Any) -> Any:
        raise pyha.HostError("it is broken")

    monkeypatch.setattr(host.Daemon, "lrm_status", refuse)
    assert pyha.RoundInput.read(daemon, status, 70.0, wall=70) is None
    after = pyha.RoundInput.read(daemon, status, 70.0, wall=70, previous=before)
    assert after is not None
    assert after.lrms == before.lrms


def job(command: str, **rest: Any) -> pyha.Job:
    fields: dict[str, Any] = {"id": 1, "sid": "vm:100", "uid": "u.1", "target": None, "timeout": None}
    return pyha.Job(**{**fields, **rest}, command=pyha.StateName(command))


def test_run_job_with_an_agent_in_python() -> None:
    cluster = two_services()
    node = cluster.nodes["node3"]
    agent = host.Guests(node)
    assert pyha.run_job(job("started"), "node3", agent) == pyha.ExitCode.SUCCESS
    assert node.hardware.running == {"vm:100"}
    assert pyha.run_job(job("migrate", target="node1"), "node3", agent) == 0
    assert cluster.shared.guests["vm:100"] == "node1"
    assert pyha.run_job(job("started"), "node3", agent) == pyha.ExitCode.WRONG_NODE
    moved = [event.tag for _, _, event in cluster.history[-5:]]
    assert "agent_move_started" in moved

    class Broken(host.Guests):
        def start(self, sid: str) -> None:
            raise Boom(sid)

    with pytest.raises(Boom):
        pyha.run_job(job("started"), "node1", Broken(cluster.nodes["node1"]))


def test_a_job_that_is_stepped() -> None:
    run = pyha.JobRun(job("request_stop", timeout=7), "node3")
    asked = []
    answers: dict[str, Any] = {"knows_type": True, "locate": "node3", "stop": None}
    running = [True, False]
    happened: list[pyha.Event] = []
    while run.step.action != "done":
        step = run.step
        asked.append(step.action)
        answer = running.pop(0) if step.action == "check_running" else answers[step.action]
        if step.action == "stop":
            assert step.timeout == 7
        happened += run.answer(answer)
    assert asked == ["knows_type", "locate", "check_running", "stop", "check_running"]
    assert run.step.exit_code == 0
    assert run.job == job("request_stop", timeout=7)
    assert happened[-1] == events.AgentStopped("vm:100")
    failing = pyha.JobRun(job("started"), "node3")
    failing.answer(True)
    assert failing.answer(pyha.HostError("gone"))[0].tag == "host_call_failed"
    with pytest.raises(TypeError):
        pyha.JobRun(job("started"), "node3").answer("yes")


def test_a_guest_that_is_locked_is_waited_for() -> None:
    cluster = two_services()

    class Locked(host.Guests):
        def start(self, sid: str) -> None:
            raise pyha.GuestLockedError("backup")

    agent = Locked(cluster.nodes["node3"])
    assert pyha.run_job(job("started"), "node3", agent) == pyha.ExitCode.TRY_AGAIN
    failed = of_type(cluster, events.HostCallFailed)
    assert [event.message for event in failed if isinstance(event, events.HostCallFailed)] == [
        "the guest is locked by 'backup'"
    ]
    assert not of_type(cluster, events.AgentStartFailed)


def test_workers_may_say_how_long_a_job_takes_and_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    cluster.run_for(60)
    ended: list[int] = []
    monkeypatch.setattr(host.Daemon, "job_time_limit", lambda *_: timedelta(seconds=20), raising=False)
    monkeypatch.setattr(host.Daemon, "end_job", lambda _, job_id: ended.append(job_id), raising=False)
    monkeypatch.setattr(host.Daemon, "start_job", lambda *_: None)
    cluster.shared.commands.append("migrate vm:100 node1")
    cluster.run_for(90)
    assert ended
    hangs = [event for event in of_type(cluster, events.JobHangs) if isinstance(event, events.JobHangs)]
    assert ("vm:100", pyha.StateName.MIGRATE) in [(event.sid, event.command) for event in hangs]


def test_a_lock_that_is_only_known_to_be_held_is_acquired_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    take = host.Daemon.take_lock

    def take_only(daemon: host.Daemon, lock: str) -> pyha.LockAnswer:
        answer = take(daemon, lock)
        return answer if answer is pyha.LockAnswer.REFUSED else pyha.LockAnswer.HELD

    monkeypatch.setattr(host.Daemon, "take_lock", take_only)
    cluster.run_for(120)
    acquired = [event for event in of_type(cluster, events.LockAcquired) if isinstance(event, events.LockAcquired)]
    assert [event.lock for event in acquired].count("ha_manager_lock") == 1
    cluster.nodes["node3"].cut_power()
    cluster.run_for(240)
    assert cluster.places("vm:100") == ["node1"], "a node is fenced all the same"


def test_without_a_time_the_clock_goes_on_while_the_machine_is_suspended() -> None:
    # A machine that has slept for a day: in a process of its own, so that nothing has seen the clocks before.
    slept = textwrap.dedent("""
        import time

        if not hasattr(time, "CLOCK_BOOTTIME"):
            raise SystemExit(77)
        awake = time.clock_gettime
        time.clock_gettime = lambda clock: awake(clock) + (86400 if clock == time.CLOCK_BOOTTIME else 0)
        import host, pyha

        shared = host.Shared(pyha.Configuration(), ["node1"], pyha.Timings(), pyha.clock, {"node1"})
        node = host.Node("node1", shared, lambda source, event: None)
        wait = pyha.Crm("node1").tick(host.Daemon("crm", node))
        assert wait.until > time.monotonic() + 86000, wait
        assert wait.until - pyha.clock() < 3600, wait
    """)
    run = subprocess.run(
        [sys.executable, "-c", slept], check=False, cwd=EXAMPLES / "python", capture_output=True, text=True
    )
    if run.returncode == 77:
        pytest.skip("there is no clock here that goes on while the machine is suspended")
    assert run.returncode == 0, run.stderr
