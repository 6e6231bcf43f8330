"""What a run may ask of the machine: bounds on work and on memory, checked before it starts."""

from collections.abc import Collection

from typing_extensions import override

from bnviz.config.cost import multiply_adds
from bnviz.config.memory import estimated_bytes
from bnviz.config.models import RunConfig

COST_CEILING = 2_000_000_000_000  # multiply-adds; a minute or two of one core on the class of machine that hosts the app
MEMORY_CEILING = 2 * 2**30  # bytes of a run's own, on top of the 150 MB that every worker shares or holds


class CostTooHigh(ValueError):
    """The configuration asks for more work than a run may cost."""

    allowed = COST_CEILING

    def __init__(self, received: int) -> None:
        self.received = received
        super().__init__(self.words())

    def words(self) -> str:
        """What was received, what is allowed, and what to lower."""
        asked = f"this run costs {self.received:.3g} multiply-adds, more than the allowed {self.allowed:.3g}"
        return f"{asked}: lower steps, trials, width, depth or batch_size"


class MemoryTooHigh(CostTooHigh):
    """The configuration asks for more memory than a run may take; in bytes."""

    allowed = MEMORY_CEILING

    @override
    def words(self) -> str:
        asked = (
            f"this run needs about {self.received / 2**30:.3g} GB of memory, more than the allowed {self.allowed / 2**30:.3g} GB"
        )
        return f"{asked}: lower trials, width, depth or batch_size, or compare fewer nets"


def check_cost(config: RunConfig) -> None:
    """Refuse a configuration above the ceilings.

    Raises:
        CostTooHigh: it names what was received and what is allowed.
    """
    received = multiply_adds(config)
    if received > COST_CEILING:
        raise CostTooHigh(received)
    check_memory(config)


def check_memory(config: RunConfig, extras: Collection[str] = ()) -> None:
    """Refuse a configuration that `estimated_bytes` finds too large. Raises `MemoryTooHigh`."""
    received = estimated_bytes(config, extras)
    if received > MEMORY_CEILING:
        raise MemoryTooHigh(received)
