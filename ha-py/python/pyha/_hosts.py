"""What a host can get wrong in Python, where nothing is looked at before it runs."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Generator, Mapping
from weakref import WeakSet

from pyha.errors import AnswerError

#: Methods that give several things, which may be made one by one.
_LISTS = frozenset({"take_commands", "unmanaged_services", "finished_jobs"})

#: All methods that a host can have.
METHODS = _LISTS | {
    "event",
    "take_lock",
    "release_lock",
    "open_watchdog",
    "feed_watchdog",
    "close_watchdog",
    "refresh",
    "is_quorate",
    "members",
    "manager_status",
    "configuration",
    "write_manager_status",
    "lrm_status",
    "commands_waiting",
    "write_lrm_status",
    "move_configuration",
    "remove_leftover_locks",
    "set_requested_state",
    "write_group_migration",
    "remove_groups",
    "software_version",
    "run_fence_device",
    "forget_fence_attempts",
    "usage",
    "random_bytes",
    "start_job",
    "job_time_limit",
    "end_job",
    "guest_lock",
    "probe",
    "knows_type",
    "guest_node",
    "is_running",
    "start",
    "stop",
    "move_to",
}

_well: WeakSet[type] = WeakSet()


def check(host: object) -> None:
    """Refuses a host with a method that would only give something to be run later, as if that were done."""
    kind = type(host)
    has_own = not METHODS.isdisjoint(getattr(host, "__dict__", ()))
    if kind in _well and not has_own:
        return
    for name in sorted(METHODS):
        method = getattr(host, name, None)
        if method is not None and _is_run_later(name, method):
            raise AnswerError(
                f"the host's {name}() is async or a generator: it would not have run when it returns (see pyha.asyncio)"
            )
    if not has_own:
        _well.add(kind)


def _is_run_later(name: str, method: object) -> bool:
    for function in (method, inspect.getattr_static(type(method), "__call__", None)):
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            return True
        if name not in _LISTS and inspect.isgeneratorfunction(function):
            return True
    return False


def is_pending(answer: object) -> bool:
    """Whether an answer has still to be run."""
    return isinstance(answer, (Awaitable, Generator, AsyncGenerator))


def is_no_list(answer: object) -> bool:
    """Whether an answer is one thing, though Python would iterate it as several."""
    return answer is None or isinstance(answer, (str, bytes, bytearray, memoryview, Mapping))
