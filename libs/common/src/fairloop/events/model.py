"""What every event is: the full state of one aggregate and its version, never a delta.

The class is the contract: its `type` names the schema, its `topic` where it is published, and `key` the
aggregate, which is also the partitioning key, so that all versions of one aggregate stay in order. Events hold no
cycles, so the garbage collector need not look at them (`gc=False`).
"""

from typing import ClassVar

import msgspec


class EventData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The payload of one event. `version` counts the published states of the aggregate from 1."""

    type: ClassVar[str]
    topic: ClassVar[str]

    version: int

    @property
    def key(self) -> str:
        """The aggregate's id."""
        raise NotImplementedError
