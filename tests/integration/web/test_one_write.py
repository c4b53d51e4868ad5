"""An answer goes out in one piece, and nothing is lost or late because of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from fairloop.web.one_write import OneWriteProtocol


class Recorder(asyncio.Transport):
    """Stands in for a socket: keeps what is written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.written = asyncio.Event()

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.writes.append(data)
        self.written.set()

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self.written.set()


def app_of(answer: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await answer(Request(scope, receive))
        await response(scope, receive, send)

    return app


def config_of(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app, http=OneWriteProtocol, lifespan="off", log_config=None, access_log=False, port=0
    )


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    """The port of a real server; it ends with the block."""
    listening = asyncio.get_running_loop()
    config = config_of(app)
    config.load()
    state = ServerState()
    server = await listening.create_server(
        lambda: OneWriteProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_head_and_body_are_one_write() -> None:
    async def hello(request: Request) -> Response:
        return Response(b"hello")

    config = config_of(app_of(hello))
    config.load()
    protocol = OneWriteProtocol(config=config, server_state=ServerState(), app_state={})
    wire = Recorder()
    protocol.connection_made(wire)
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    await asyncio.wait_for(wire.written.wait(), 5)

    (only,) = wire.writes
    assert only.startswith(b"HTTP/1.1 200 OK\r\n")
    assert only.endswith(b"\r\n\r\nhello")
    protocol.connection_lost(None)


async def test_an_answer_that_closes_the_connection_arrives_whole() -> None:
    async def large(request: Request) -> Response:
        return Response(b"x" * 5_000_000, headers={"connection": "close"})

    async with served(app_of(large)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        told = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        await writer.wait_closed()

    assert told.partition(b"\r\n\r\n")[2] == b"x" * 5_000_000


async def test_the_beginning_of_a_stream_does_not_wait_for_its_end() -> None:
    go_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"first"
        await go_on.wait()
        yield b"second"

    async def stream(request: Request) -> Response:
        return StreamingResponse(slowly())

    async with served(app_of(stream)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        early = await asyncio.wait_for(reader.readuntil(b"first"), 5)
        go_on.set()
        late = await asyncio.wait_for(reader.readuntil(b"second"), 5)
        writer.close()
        await writer.wait_closed()

    assert b"second" not in early
    assert late.endswith(b"second")
