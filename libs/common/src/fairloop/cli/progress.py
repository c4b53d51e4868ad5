"""What a starting supervisor tells `fairloop up`, one JSON line each, over its standard output."""

import os
import sys
from contextlib import suppress

import msgspec


class Step(msgspec.Struct, frozen=True, tag="step"):
    text: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    text: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    pass


Message = Step | Failed | Ready


def tell(message: Message) -> None:
    """Nobody may be listening any more: that is no reason to stop."""
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
        sys.stdout.buffer.flush()


def hang_up() -> None:
    """Close the connection to `up`, and keep standard output a harmless place to write to."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def understand(line: bytes) -> Message:
    message: Message = msgspec.json.decode(line, type=Message)
    return message
