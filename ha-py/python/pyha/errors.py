"""Everything that goes wrong is an :class:`HaError` that says in plain words what, where, and what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyha.sim import Happening
    from pyha.values import FenceFault, Problem, PropertyFault, ScenarioProblem, TimingViolation


class HaError(Exception):
    """The base of all errors of this package."""


class InvalidValueError(HaError, ValueError):
    """A name, word, command or other value that is not valid."""


class ConfigError(HaError, ValueError):
    """A configuration file with problems. The attributes are those of the first one."""

    def __init__(
        self,
        message: str = "",
        *,
        file: str | None = None,
        line: int | None = None,
        section: str | None = None,
        field: str | None = None,
        code: str = "",
        problems: Sequence[Problem | FenceFault] = (),
    ) -> None:
        super().__init__(message)
        #: The file's name, such as ``resources.cfg``.
        self.file = file
        #: The line, from 1.
        self.line = line
        #: The section as its header says it, such as ``vm: 100``.
        self.section = section
        #: The property at fault.
        self.field = field
        #: A stable name for what is wrong.
        self.code = code
        #: All problems of the file.
        self.problems: tuple[Problem | FenceFault, ...] = tuple(problems)


class EditError(ConfigError):
    """An edit that is refused. Nothing was changed."""

    def __init__(
        self,
        message: str = "",
        *,
        field: str | None = None,
        code: str = "",
        faults: Sequence[PropertyFault] = (),
    ) -> None:
        super().__init__(message, field=field, code=code)
        #: The properties at fault, if it is about properties.
        self.faults: tuple[PropertyFault, ...] = tuple(faults)


class StatusError(HaError, ValueError):
    """A status record that cannot be read."""

    def __init__(
        self, message: str = "", *, path: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        #: The field at fault, its parts joined with dots, where the text is JSON.
        self.path = path
        #: The line, from 1, where the text is no JSON.
        self.line = line
        #: The column, in bytes from 1, where the text is no JSON.
        self.column = column


class PlacementError(HaError, LookupError):
    """Placement has no answer."""

    def __init__(self, message: str = "", *, code: str = "", sid: str | None = None, node: str | None = None) -> None:
        super().__init__(message)
        #: ``no_such_service``, ``no_such_node`` or ``no_way``.
        self.code = code
        #: The service.
        self.sid = sid
        #: The node.
        self.node = node


class TimingError(HaError, ValueError):
    """Timings that are not safe."""

    def __init__(self, message: str = "", *, violations: Sequence[TimingViolation] = ()) -> None:
        super().__init__(message)
        #: The inequalities that do not hold, each with a change that mends it.
        self.violations: tuple[TimingViolation, ...] = tuple(violations)


class HostError(HaError):
    """For hosts to raise: a call failed, as calls do.

    The core reports it as :class:`pyha.events.HostCallFailed` and tries again later. Any other exception comes out
    where the daemon was called, unchanged.
    """


class GuestLockedError(HostError):
    """For agents to raise in ``start``, ``stop`` and ``move_to``: a lock of the guest does not allow that for now.

    That is no failure: the job ends with ``ExitCode.TRY_AGAIN``, is tried again later and uses up no tries, and the
    status names the lock (``backup``, ``snapshot``, ...).
    """

    def __init__(self, lock: str) -> None:
        super().__init__(f"the guest is locked by '{lock}'")
        #: The name of the lock.
        self.lock = lock

    def __reduce__(self) -> tuple[type[GuestLockedError], tuple[str]]:
        return type(self), (self.lock,)


class AnswerError(HostError, TypeError):
    """A host's method returned what is none of its answers, such as ``False`` for an exit code, or is ``async``.

    The core is told that the call failed, and nothing counts as done; and since the host is wrong, this comes out
    where the daemon was called.
    """


class InUseError(HaError, RuntimeError):
    """An object is being used already: by another thread, or by the call that called this host."""


class SimulationError(HaError):
    """Something that a virtual cluster cannot be or do."""


class ScenarioError(SimulationError):
    """A scenario that cannot be read."""

    def __init__(self, message: str = "", *, problems: Sequence[ScenarioProblem] = ()) -> None:
        super().__init__(message)
        #: What is wrong, where the files could be read.
        self.problems: tuple[ScenarioProblem, ...] = tuple(problems)


class RanTwiceError(SimulationError):
    """A service ran on two nodes of a virtual cluster at the same time: what must never happen."""

    def __init__(
        self,
        message: str = "",
        *,
        at: float = 0.0,
        sid: str = "",
        nodes: Sequence[str] = (),
        last: Sequence[Happening] = (),
    ) -> None:
        super().__init__(message)
        #: When it was found, in seconds.
        self.at = at
        #: The service.
        self.sid = sid
        #: Where it runs or is being started.
        self.nodes: tuple[str, ...] = tuple(nodes)
        #: What happened last.
        self.last: tuple[Happening, ...] = tuple(last)
