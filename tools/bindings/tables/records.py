@dataclass(frozen=True, slots=True)
class Figure:
    """How well a node suits a service: one of the two is set."""

    services: int | None = None
    """With the ``basic`` scheduler: the number of services that use the node; the lower, the better."""

    score: float | None = None
    """With the others: its score, from 0 to 1; the higher, the better."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person can do about a service that is stuck, or seems to be."""

    code: str
    """A stable word for programs, such as ``request_disabled``."""

    text: str
    """A sentence or two for people."""

    def __str__(self) -> str:
        return self.text

# in NodeExplanation:
    _flatten = "fate"

# in Explanation:
    def of(self, node: str) -> NodeExplanation | None:
        """What became of a node."""
        return next((found for found in self.nodes if found.node == node), None)

    def __str__(self) -> str:
        from pyha import _native

        return _native.describe_explanation(self)

# in Balance:
    @property
    def chosen(self) -> BalanceMove | None:
        """The move that is made, if one is."""
        return self.candidates[0] if self.outcome.tag == "move" else None

    def __str__(self) -> str:
        from pyha import _native

        return _native.describe_balance(self)
