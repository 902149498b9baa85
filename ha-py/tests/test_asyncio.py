"""Daemons that an event loop drives, with hosts and agents that are async."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable

import pyha
import pyha.asyncio
import pytest
from conftest import EXAMPLES
from pyha import Job, StateName, events
from pyha.values import ExitCode

sys.path.insert(0, str(EXAMPLES / "python"))
import host as example

#: Far more than anything takes here: what is waited for longer than this does not come.
LONG = 60.0


class Async:
    """Another object, of which some methods are async."""

    def __init__(self, inner: object, *names: str) -> None:
        for name in dir(inner):
            if not name.startswith("_") and callable(method := getattr(inner, name)):
                setattr(self, name, self._later(method) if name in names else method)

    @staticmethod
    def _later(method: Callable[..., object]) -> Callable[..., object]:
        async def later(*arguments: object) -> object:
            await asyncio.sleep(0)
            return method(*arguments)

        return later


def cluster_of_one() -> example.Node:
    configuration = pyha.Configuration(resources="vm: 100\n")
    shared = example.Shared(configuration, ["node1"], pyha.Timings.fast(), pyha.clock, {"node1"})
    shared.guests["vm:100"] = "node1"
    return example.Node("node1", shared, lambda source, event: None)


async def until(condition: Callable[[], bool]) -> None:
    async def look() -> None:
        while not condition():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), LONG)


def job(command: StateName) -> Job:
    return Job(id=7, sid="vm:100", uid=None, command=command, target=None, timeout=None)


def test_daemons_with_async_hosts_start_a_service_and_stop() -> None:
    async def main() -> None:
        node = cluster_of_one()
        agent = Async(example.Guests(node), "knows_type", "guest_node", "is_running", "start", "stop", "event")
        jobs = pyha.asyncio.Jobs("node1", agent)
        crm_host = Async(example.Daemon("crm", node), "manager_status", "configuration", "lrm_status", "event")
        lrm_host = Async(example.Daemon("lrm", node), "manager_status", "configuration", "write_lrm_status", "members")
        for name in ("start_job", "finished_jobs", "end_job"):
            setattr(lrm_host, name, getattr(jobs, name))
        crm = pyha.asyncio.Daemon(pyha.Crm("node1", timings=node.shared.timings), crm_host)
        lrm = pyha.asyncio.Daemon(pyha.Lrm("node1", timings=node.shared.timings), lrm_host)
        jobs.woken = lrm.wake
        running = [asyncio.create_task(daemon.run()) for daemon in (crm, lrm)]
        await until(lambda: node.hardware.running == {"vm:100"})
        await lrm.request_stop("node_shutdown")
        await asyncio.wait_for(running[1], LONG)
        assert node.hardware.running == set()
        assert "lrm" not in node.hardware.watchdogs
        await crm.request_stop()
        await asyncio.wait_for(running[0], LONG)

    asyncio.run(main())


def test_a_host_that_blocks_does_not_block_the_loop() -> None:
    async def main() -> None:
        node = cluster_of_one()
        host = example.Daemon("crm", node)
        asked, go_on = threading.Event(), threading.Event()

        def manager_status() -> None:
            asked.set()
            assert go_on.wait(LONG), "the loop that was to let it go on stood still"

        host.manager_status = manager_status  # type: ignore[method-assign]
        crm = pyha.asyncio.Daemon(pyha.Crm("node1", timings=node.shared.timings), host)
        tick = asyncio.create_task(crm.tick())
        await until(asked.is_set)
        assert not tick.done()
        go_on.set()
        assert await tick is not None

    asyncio.run(main())


def test_an_async_method_that_does_not_end_is_a_call_that_failed() -> None:
    async def main() -> None:
        node = cluster_of_one()
        ended: list[str] = []
        seen: list[pyha.Event] = []

        class Hangs(example.Daemon):
            async def manager_status(self) -> pyha.ManagerStatus | None:  # type: ignore[override]
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    ended.append("cancelled")
                    raise
                return None

            def event(self, event: pyha.Event) -> None:
                seen.append(event)

        host = Hangs("crm", node)
        crm = pyha.asyncio.Daemon(pyha.Crm("node1", timings=node.shared.timings), host, call_timeout=0.05)
        await crm.tick()
        await until(lambda: bool(ended))
        failures = [event.message for event in seen if isinstance(event, events.HostCallFailed)]
        assert any("manager_status took longer than 0.05 s" in message for message in failures)

    asyncio.run(main())


def test_what_is_no_host_error_comes_out_of_run() -> None:
    async def main() -> None:
        node = cluster_of_one()

        class Broken(example.Daemon):
            async def configuration(self) -> pyha.Configuration:  # type: ignore[override]
                raise ZeroDivisionError("broken")

        crm = pyha.asyncio.Daemon(pyha.Crm("node1", timings=node.shared.timings), Broken("crm", node))
        with pytest.raises(ZeroDivisionError, match="broken"):
            await asyncio.wait_for(crm.run(), LONG)

    asyncio.run(main())


def test_a_daemon_whose_task_is_cancelled_is_not_called_any_more() -> None:
    async def main() -> None:
        node = cluster_of_one()
        asked, go_on, calls = threading.Event(), threading.Event(), []
        host = example.Daemon("crm", node)

        def members() -> dict[str, bool]:
            calls.append(time.monotonic())
            asked.set()
            go_on.wait(LONG)
            return {"node1": True}

        host.members = members  # type: ignore[method-assign]
        crm = pyha.asyncio.Daemon(pyha.Crm("node1", timings=node.shared.timings), host)
        running = asyncio.create_task(crm.run())
        await until(asked.is_set)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        # Another call waits for the one that is still in its thread, instead of running beside it.
        again = asyncio.create_task(crm.tick())
        await asyncio.sleep(0)
        assert len(calls) == 1
        go_on.set()
        assert await again is not None

    asyncio.run(main())


def test_a_job_that_is_ended_is_named_when_nothing_of_it_is_left() -> None:
    async def main() -> None:
        began, cleaned, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

        class Hangs(example.Guests):
            async def start(self, sid: str) -> None:  # type: ignore[override]
                began.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    cleaned.set()
                    await may_end.wait()

        woken: list[None] = []
        jobs = pyha.asyncio.Jobs("node1", Hangs(cluster_of_one()), lambda: woken.append(None))
        assert jobs.start_job(job(StateName.STARTED)) is None
        await asyncio.wait_for(began.wait(), LONG)
        jobs.end_job(7)
        await asyncio.wait_for(cleaned.wait(), LONG)
        assert jobs.finished_jobs() == []
        may_end.set()
        await until(lambda: bool(woken))
        assert jobs.finished_jobs() == [(7, ExitCode.KILLED)]
        assert jobs.finished_jobs() == []

    asyncio.run(main())


def test_a_thread_of_a_job_that_is_ended_is_waited_for() -> None:
    async def main() -> None:
        began, may_end = threading.Event(), threading.Event()
        node = cluster_of_one()

        class Blocks(example.Guests):
            def start(self, sid: str) -> None:
                began.set()
                may_end.wait(LONG)
                super().start(sid)

        task = asyncio.create_task(pyha.asyncio.run_job(job(StateName.STARTED), "node1", Blocks(node)))
        await until(began.is_set)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=0.05)
        assert not done, "something of it is left"
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, LONG)
        assert node.hardware.running == {"vm:100"}

    asyncio.run(main())


def test_run_job_gives_what_that_of_the_core_gives() -> None:
    async def main() -> None:
        for command in (StateName.STARTED, StateName.STOPPED, StateName.REQUEST_STOP):
            for broken in (None, "knows_type", "guest_node", "is_running", "start", "stop"):
                codes = []
                for is_async in (False, True):
                    node = cluster_of_one()
                    guests = example.Guests(node)
                    if broken:
                        setattr(guests, broken, _fails)
                    agent = Async(guests, "knows_type", "guest_node", "is_running", "start", "stop")
                    if is_async:
                        codes.append(await pyha.asyncio.run_job(job(command), "node1", agent))
                    else:
                        codes.append(pyha.run_job(job(command), "node1", guests))
                assert codes[0] == codes[1], (command, broken)

    asyncio.run(main())


def _fails(*_: object) -> None:
    raise pyha.HostError("it is broken")
