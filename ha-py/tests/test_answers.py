"""What a host can answer by accident in Python counts as nothing, and is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pyha
import pytest
from conftest import EXAMPLES
from pyha import events

sys.path.insert(0, str(EXAMPLES / "python"))
import host
from test_host import job, of_type, two_services


def services_of(cluster: host.Cluster) -> set[str]:
    text = cluster.shared.manager_status
    assert text is not None
    return set(pyha.ManagerStatus.from_json(text).services)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("start_job", False),
        ("start_job", True),
        ("start_job", 0.0),
        ("start_job", "0"),
        ("start_job", ""),
        ("start_job", 2**40),
        ("finished_jobs", None),
        ("finished_jobs", False),
        ("finished_jobs", {1: 0}),
        ("finished_jobs", "10"),
        ("finished_jobs", [(1, False)]),
        ("finished_jobs", [(True, 0)]),
        ("finished_jobs", [(1, None)]),
        ("finished_jobs", [(1, 0.0)]),
        ("finished_jobs", [1]),
        ("finished_jobs", [(-1, 0)]),
        ("take_commands", "migrate vm:100 node1"),
        ("take_commands", b"stop"),
        ("take_commands", None),
        ("take_commands", [b"stop vm:100"]),
        ("take_commands", {"stop vm:100": 1}),
        ("members", {}),
        ("members", None),
        ("members", {"node1": 1}),
        ("members", {"node1": None}),
        ("members", ["node1"]),
        ("is_quorate", None),
        ("is_quorate", "no"),
        ("take_lock", True),
        ("take_lock", None),
        ("feed_watchdog", None),
        ("feed_watchdog", True),
        ("manager_status", {}),
        ("manager_status", False),
        ("manager_status", None),
        ("lrm_status", {}),
        ("lrm_status", False),
        ("configuration", None),
        ("unmanaged_services", None),
        ("unmanaged_services", "vm:1"),
        ("unmanaged_services", {}),
        ("refresh", False),
        ("refresh", 0),
        ("refresh", pyha.HostError("returned, not raised")),
        ("refresh", NotImplemented),
        ("write_manager_status", False),
        ("write_lrm_status", ""),
        ("event", False),
    ],
    ids=str,
)
def test_what_is_no_answer_is_an_error_and_nothing_counts_as_done(
    method: str, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = two_services()
    cluster.run_for(60)
    before = len(cluster.history)
    services = services_of(cluster)
    monkeypatch.setattr(host.Daemon, method, lambda *_: answer)
    if method in {"start_job", "finished_jobs", "event"}:
        cluster.shared.commands.append("migrate vm:100 node1")
    with pytest.raises(pyha.AnswerError, match=rf"the host's {method}\(\) returned a ") as caught:
        cluster.run_for(60)
    assert isinstance(caught.value, pyha.HostError)
    assert isinstance(caught.value, TypeError)
    if method not in {"event", "is_quorate"}:
        told = [event for _, _, event in cluster.history[before:] if isinstance(event, events.HostCallFailed)]
        assert told, "the core was told"
    monkeypatch.undo()
    cluster.run_for(60)
    assert services_of(cluster) == services, "no record was erased"
    assert cluster.places("vm:100") in (["node3"], ["node1"])


@pytest.mark.parametrize("answer", [None, 0, 1, "yes"])
def test_a_command_waits_or_does_not(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = host.Cluster(["node1"], pyha.Configuration(), {})
    cluster.run_for(30)
    monkeypatch.setattr(host.Daemon, "commands_waiting", lambda _: answer)
    with pytest.raises(pyha.AnswerError, match=r"commands_waiting\(\) returned a "):
        cluster.run_for(600)


def tick_for(crm: pyha.Crm, daemon: host.Daemon, seconds: int) -> None:
    for now in range(seconds):
        crm.tick(daemon, float(now), wall=0)


def test_no_bytes_but_bytes() -> None:
    shared = two_services().shared
    for wrong in ([False] * 16, "0123456789abcdef", list(range(16)), None):
        daemon = host.Daemon("crm", host.Node("node1", shared, lambda *_: None))
        crm = pyha.Crm("node1")
        daemon.random_bytes = lambda wrong=wrong: wrong  # type: ignore[method-assign, misc]
        with pytest.raises(pyha.AnswerError, match=r"random_bytes\(\) returned a "):
            tick_for(crm, daemon, 40)


@pytest.mark.parametrize("running", [None, 0, "", "no", [], False])
def test_a_service_is_stopped_only_where_the_agent_says_so(running: Any) -> None:
    cluster = two_services()

    class Agent(host.Guests):
        def is_running(self, sid: str) -> bool:
            return running  # type: ignore[no-any-return]

    agent = Agent(cluster.nodes["node3"])
    if running is False:
        assert pyha.run_job(job("request_stop"), "node3", agent) == pyha.ExitCode.SUCCESS
    else:
        with pytest.raises(pyha.AnswerError):
            pyha.run_job(job("request_stop"), "node3", agent)


def later(kind: str) -> type[host.Daemon]:
    if kind == "async":

        class Async(host.Daemon):
            async def take_lock(self, lock: str) -> pyha.LockAnswer:  # type: ignore[override]
                return pyha.LockAnswer.RENEWED

        return Async
    if kind == "async event":

        class AsyncEvent(host.Daemon):
            async def event(self, event: pyha.Event) -> None:  # type: ignore[override]
                pass

        return AsyncEvent
    if kind == "async generator":

        class AsyncGenerator(host.Daemon):
            async def finished_jobs(self) -> Any:
                yield (1, 0)

        return AsyncGenerator

    class Generates(host.Daemon):
        def write_lrm_status(self, status: pyha.LrmStatus) -> Iterator[None]:  # type: ignore[override]
            yield None

    return Generates


@pytest.mark.parametrize("kind", ["async", "async event", "async generator", "generator"])
def test_methods_that_are_run_later_are_refused_when_the_host_is_made(kind: str) -> None:
    cluster = two_services()
    node = cluster.nodes["node1"]
    wrong = later(kind)("crm", node)
    for make in (pyha.Crm, pyha.Lrm):
        with pytest.raises(pyha.AnswerError, match="async or a generator"):
            make("node1", sink=wrong)
        with pytest.raises(pyha.AnswerError, match="async or a generator"):
            make("node1").tick(wrong, 0.0, wall=0)
    assert not of_type(cluster, events.HostCallFailed)


def test_a_method_that_becomes_async_later_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    cluster.run_for(60)

    async def write(*_: Any) -> None:
        pass

    def give(*_: Any) -> Any:
        yield None

    for wrong in (write, give):
        for method in ("write_manager_status", "write_lrm_status", "event", "is_quorate"):
            with monkeypatch.context() as patched:
                patched.setattr(host.Daemon, method, lambda *_, wrong=wrong: wrong())
                cluster.shared.commands.append("migrate vm:100 node1")
                with pytest.raises(pyha.AnswerError, match=rf"{method}\(\) returned a "):
                    cluster.run_for(60)


def test_a_record_that_was_there_is_not_forgotten_with_a_return(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = two_services()
    cluster.run_for(60)
    before = cluster.shared.manager_status
    assert before is not None
    with monkeypatch.context() as patched:
        patched.setattr(host.Daemon, "manager_status", lambda _: None)
        with pytest.raises(pyha.AnswerError, match="there was a record before"):
            cluster.run_for(30)
    assert cluster.shared.manager_status is before


def test_a_stop_that_is_asked_for_during_a_tick_takes_effect_at_its_end() -> None:
    node = two_services().nodes["node1"]
    crm, lrm = pyha.Crm("node1"), pyha.Lrm("node1")

    class Stopping(host.Daemon):
        def refresh(self) -> None:
            crm.request_stop(self)
            lrm.request_stop(pyha.StopRequest.RESTART, self, 0.0, wall=0)

    stopping = Stopping("crm", node)
    lrm.tick(stopping, 0.0, wall=0)
    assert lrm.mode is pyha.LrmMode.RESTART
    for now in range(30):
        if crm.tick(stopping, float(now), wall=0) is None:
            return
    pytest.fail("the CRM goes on")


def test_an_answer_to_a_step_that_ended_is_none_or_an_error() -> None:
    wrongs: list[Any] = [False, 0, ""]
    for wrong in wrongs:
        run = pyha.JobRun(job("started"), "node3")
        run.answer(True)
        run.answer("node3")
        run.answer(False)
        assert run.step.action == "start"
        with pytest.raises(TypeError):
            run.answer(wrong)
        assert run.step.action == "start"


def test_named_arguments_that_are_not_known_are_refused() -> None:
    for call in (
        lambda: pyha.Crm("node1", timing=None),  # type: ignore[call-arg]
        lambda: pyha.Lrm("node1", host=None),  # type: ignore[call-arg]
        lambda: pyha.Configuration(resource="vm: 100\n"),  # type: ignore[call-arg]
        lambda: pyha.Timings(lock_lifetimes=3),  # type: ignore[call-arg]
        lambda: pyha.Manager("node1", state=None),  # type: ignore[call-arg]
        lambda: pyha.RoundInput(members={}, configuration=pyha.Configuration(), lrm={}),  # type: ignore[call-arg]
        lambda: pyha.Situation(pyha.ManagerStatus(), pyha.Configuration(), member=[]),  # type: ignore[call-arg]
        lambda: pyha.ManagerStatus(node_status={}),  # type: ignore[call-arg]
    ):
        with pytest.raises(TypeError):
            call()
