"""Daemons under :mod:`asyncio`: hosts and agents may be ``async``, and the event loop is never blocked.

A daemon asks its host and waits for the answer, so each has a thread of its own here: :meth:`Daemon.tick` awaits what
that does. A host's method that is ``async`` is run by the event loop; any other is called in that thread, where it
may block.

>>> import asyncio
>>> import pyha.asyncio
>>> async def main(host: pyha.CrmHost) -> None:
...     daemon = pyha.asyncio.Daemon(pyha.Crm("node1", sink=host), host)
...     running = asyncio.create_task(daemon.run())
...     await asyncio.sleep(3600)
...     await daemon.request_stop()
...     await running

**A loop that is busy is late.** What the host does in the event loop waits for whatever else runs there. Renewals are
bound by the watchdog: leave the methods of the lock and the watchdog without ``async``, so that they need nothing of
the loop.

**A call has a bound.** An ``async`` method that takes longer than ``call_timeout`` is cancelled, and the core is told
that the call failed. Nobody knows then whether it took effect; a method that is cancelled must not take effect later.

**Cancelling is not stopping.** Where a task is cancelled that awaits :meth:`Daemon.run`, the daemon is not called any
more. Its watchdog runs out, as after any death of a daemon. :meth:`Daemon.request_stop` is the way to end it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from threading import Lock
from typing import Any, TypeVar, cast

from pyha import _hosts
from pyha._native import Crm, JobRun, Lrm, clock
from pyha.errors import HostError
from pyha.host import CrmHost, LrmHost
from pyha.records import Job
from pyha.values import ExitCode, JobStep, Wait
from pyha.words import StopRequest

__all__ = ["Daemon", "Jobs", "run_job"]

_T = TypeVar("_T")

#: How long an ``async`` method of a host may take where nothing is said, in seconds.
CALL_TIMEOUT = 5.0


class Daemon:
    """A CRM or an LRM that an event loop drives.

    To be made in a coroutine: it belongs to the loop that runs then. ``host`` is any host of such a daemon, whose
    methods may be ``async``; ``call_timeout`` bounds each of those, in seconds.
    """

    def __init__(self, daemon: Crm | Lrm, host: object, *, call_timeout: float = CALL_TIMEOUT) -> None:
        self._daemon = daemon
        self._loop = asyncio.get_running_loop()
        self._host = _Bridge(host, self._loop, call_timeout)
        self._woken = asyncio.Event()
        # One thread: two calls of a daemon never overlap, also where the first one's task was cancelled.
        self._thread = concurrent.futures.ThreadPoolExecutor(1, f"pyha-{daemon.node}")

    @property
    def daemon(self) -> Crm | Lrm:
        """The daemon itself, to look at its state."""
        return self._daemon

    async def tick(self) -> Wait | None:
        """Does what must be done now, and says when to call again; ``None`` after it has exited."""
        # What wakes it from here on may have come too late for this call.
        self._woken.clear()
        if isinstance(self._daemon, Crm):
            return await self._in_thread(partial(self._daemon.tick, cast("CrmHost", self._host)))
        return await self._in_thread(partial(self._daemon.tick, cast("LrmHost", self._host)))

    async def run(self) -> None:
        """Calls it whenever that is due, until it has exited.

        What a host raises that is no :class:`pyha.HostError` comes out of here, as it comes out of a daemon's
        ``tick``.
        """
        while (wait := await self.tick()) is not None:
            left = max(0.0, wait.until - clock())
            try:
                await asyncio.wait_for(self._woken.wait(), left)
            except asyncio.TimeoutError:
                continue
        self._thread.shutdown(wait=False)

    def wake(self) -> None:
        """Has it called at once instead of when it is due: when a job has ended. It may be called by any thread."""
        self._loop.call_soon_threadsafe(self._woken.set)

    async def request_stop(self, request: StopRequest | str = StopRequest.RESTART) -> None:
        """Asks it to stop, and has it called at once. :meth:`run` returns when it has exited.

        ``request`` says why an LRM is to stop. A CRM stops in one way.
        """
        if isinstance(self._daemon, Crm):
            await self._in_thread(partial(self._daemon.request_stop, cast("CrmHost", self._host)))
        else:
            await self._in_thread(partial(self._daemon.request_stop, request, cast("LrmHost", self._host)))
        self._woken.set()

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        return await self._loop.run_in_executor(self._thread, call)


class _Bridge:
    """A host whose ``async`` methods are run by an event loop, for a caller in another thread, who waits for them."""

    def __init__(self, host: object, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        for name in _hosts.METHODS:
            method = getattr(host, name, None)
            if method is not None:
                setattr(self, name, _in_loop(name, method, loop, timeout) if _is_async(method) else method)


def _in_loop(
    name: str, method: Callable[..., Coroutine[Any, Any, _T]], loop: asyncio.AbstractEventLoop, timeout: float
) -> Callable[..., _T]:
    @wraps(method)
    def call(*arguments: object) -> _T:
        coroutine = method(*arguments)
        try:
            answer = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError as error:
            coroutine.close()
            raise HostError(f"{name}: {error}") from error
        try:
            return answer.result(timeout)
        except concurrent.futures.TimeoutError as error:
            if answer.done():
                raise
            answer.cancel()
            raise HostError(f"{name} took longer than {timeout:g} s") from error
        except concurrent.futures.CancelledError as error:
            raise HostError(f"{name} was cancelled") from error

    # The caller is not async, whatever it wraps.
    del call.__wrapped__
    return call


def _is_async(method: object) -> bool:
    call = inspect.getattr_static(type(method), "__call__", None)
    return inspect.iscoroutinefunction(method) or inspect.iscoroutinefunction(call)


async def run_job(job: Job, node: str, agent: object) -> int:
    """Carries out a job and gives its exit code: :func:`pyha.run_job` for an agent whose methods may be ``async``.

    Those that are not are called in threads. Where the job is cancelled, what is in a thread is waited for: only then
    nothing of the job is left.
    """
    run = JobRun(job, node)
    while run.step.exit_code is None:
        answer: Any
        try:
            answer = await _ask(agent, run.step, job.sid)
        except HostError as error:
            answer = error
        for event in run.answer(answer):
            await _call(agent, "event", event)
    return run.step.exit_code


async def _ask(agent: object, step: JobStep, sid: str) -> object:
    match step.action:
        case "knows_type":
            return await _call(agent, "knows_type", sid.partition(":")[0])
        case "locate":
            return await _call(agent, "guest_node", sid)
        case "check_running":
            return await _call(agent, "is_running", sid)
        case "start":
            return await _call(agent, "start", sid)
        case "stop":
            return await _call(agent, "stop", sid, step.timeout)
        case "move":
            return await _call(agent, "move_to", sid, step.target, step.motion)
        case action:
            raise HostError(f"an agent can't be asked for '{action}'")


async def _call(agent: object, name: str, *arguments: object) -> object:
    method = getattr(agent, name)
    if _is_async(method):
        return await method(*arguments)
    thread = asyncio.ensure_future(asyncio.to_thread(method, *arguments))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


class Jobs:
    """The workers of an LRM, as tasks of an event loop.

    A host has its methods as its own: ``start_job``, ``finished_jobs`` and ``end_job`` are those of
    :class:`pyha.Workers` and of :class:`pyha.host.JobControl`, and may be called by any thread. ``woken`` is called
    in the loop when a job has ended: give it :meth:`Daemon.wake`. To be made in a coroutine.

    A job that is ended is cancelled, and named only when its agent's coroutine is over.
    """

    def __init__(self, node: str, agent: object, woken: Callable[[], object] = lambda: None) -> None:
        self.woken = woken
        self._node = node
        self._agent = agent
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._lock = Lock()
        self._finished: list[tuple[int, int]] = []

    def start_job(self, job: Job, /) -> int | None:
        """Starts a job as a task."""
        self._soon(self._begin, job)
        return None

    def finished_jobs(self) -> list[tuple[int, int]]:
        """Takes the jobs that have ended since this was last called."""
        with self._lock:
            finished, self._finished = self._finished, []
        return finished

    def end_job(self, job_id: int, /) -> None:
        """Cancels a job."""
        self._soon(self._cancel, job_id)

    def _soon(self, call: Callable[..., None], argument: Job | int) -> None:
        try:
            self._loop.call_soon_threadsafe(call, argument)
        except RuntimeError as error:
            # The loop is closed.
            raise HostError(str(error)) from error

    def _begin(self, job: Job) -> None:
        self._tasks[job.id] = self._loop.create_task(self._carry_out(job))

    def _cancel(self, job_id: int) -> None:
        if task := self._tasks.get(job_id):
            task.cancel()

    async def _carry_out(self, job: Job) -> None:
        exit_code: int = ExitCode.KILLED
        try:
            exit_code = await run_job(job, self._node, self._agent)
        except asyncio.CancelledError:
            pass
        finally:
            # Also where the agent raises what it must not: the job is over, and has not done what it should.
            self._tasks.pop(job.id, None)
            with self._lock:
                self._finished.append((job.id, exit_code))
            self.woken()
