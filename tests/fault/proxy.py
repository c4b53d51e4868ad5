"""A TCP proxy between a service and its database or broker, which does to the connections what networks do.

`hold` is a network partition (nothing passes, nothing is refused), `cut` a reset of every connection, `delay` a slow
line, `half_close` an end in one direction only, `desert` a server that is gone without a word. A `tap` sees every
piece of data before it passes and may stop it.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

Direction = Literal["to server", "to client"]
Tap = Callable[[Direction, bytes], bool]
"""Whether this piece passes. At False it is swallowed and its connection reset."""

HOST = "127.0.0.1"
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""PostgreSQL's CommandComplete for COMMIT: from here on the transaction is durable."""
_PIECE = 65_536


class _Connection:
    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.deserted = False

    def reset(self) -> None:
        """RST to both sides: neither gets an orderly end."""
        for writer in (self.client, self.server):
            raw: socket.socket = writer.get_extra_info("socket")
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """`async with Proxy() as proxy:` listens on `port` of 127.0.0.1; set `target` before anything connects."""

    def __init__(self, target: tuple[str, int] = (HOST, 0)) -> None:
        self.target = target
        self.tap: Tap | None = None
        self.delay = 0.0  # seconds each piece is late, in each direction
        self._refusing = False
        self._passing = asyncio.Event()
        self._passing.set()
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, HOST, 0
        )  # a plain function: the tasks are ours
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def url(self, direct: str) -> str:
        """The same address, by way of this proxy, which from now on leads there."""
        parts = urlsplit(direct)
        assert parts.hostname is not None
        assert parts.port is not None
        self.target = (parts.hostname, parts.port)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(
            parts._replace(netloc=f"{login}@{HOST}:{self.port}" if login else f"{HOST}:{self.port}")
        )

    def hold(self) -> None:
        """A partition: connections stay, new ones are accepted, nothing comes through."""
        self._passing.clear()

    def cut(self) -> None:
        """Reset all connections, and every new one at once."""
        self._refusing = True
        for connection in list(self._connections):
            connection.reset()

    def half_close(self) -> None:
        """End every connection in the direction to the server; the other one stays open."""
        for connection in list(self._connections):
            with suppress(OSError, RuntimeError):
                connection.server.write_eof()

    def desert(self) -> None:
        """The server's side of every connection is gone; the client's stays open and never hears of it."""
        for connection in list(self._connections):
            connection.deserted = True
            connection.server.transport.abort()

    def heal(self) -> None:
        """Everything passes again; what was held goes on its way."""
        self.delay = 0.0
        self.tap = None
        self._refusing = False
        self._passing.set()

    def lose_answer(self, marker: bytes = COMMITTED, *, times: int = 1) -> asyncio.Event:
        """Swallow the server's next answers that hold the marker, each with its connection; set when all are gone."""
        lost = asyncio.Event()
        left = times

        def tap(direction: Direction, piece: bytes) -> bool:
            nonlocal left
            if direction == "to server" or marker not in piece or left == 0:
                return True
            left -= 1
            if left == 0:
                lost.set()
            return False

        self.tap = tap
        return lost

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connect(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server: asyncio.StreamWriter | None = None
        try:
            if self._refusing:
                return
            await self._passing.wait()
            from_server, to_server = await asyncio.open_connection(*self.target)
            connection = _Connection(writer, to_server)
            self._connections.add(connection)
            try:
                await asyncio.gather(
                    self._pump("to server", reader, to_server, connection),
                    self._pump("to client", from_server, writer, connection),
                )
            finally:
                self._connections.discard(connection)
        except (OSError, RuntimeError):  # RuntimeError: the client goes on writing after `half_close`
            pass  # one side is gone: so is the other
        finally:
            for side in filter(None, (writer, to_server)):
                side.transport.abort()
            await asyncio.sleep(0)  # lets the transports close

    async def _pump(
        self,
        direction: Direction,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        connection: _Connection,
    ) -> None:
        while piece := await source.read(_PIECE):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._passing.wait()
            if connection.deserted:
                continue
            if self.tap is not None and not self.tap(direction, piece):
                connection.reset()
                return
            sink.write(piece)
            await sink.drain()
        await self._passing.wait()
        if not connection.deserted and sink.can_write_eof() and not sink.is_closing():
            sink.write_eof()
