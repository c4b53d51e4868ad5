"""What is around the service in its tests: a receiver of webhooks, an SMTP server, other services; all on real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

Answering = Callable[["Request"], tuple[int, Any]]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class HttpServer:
    """`answer` may be replaced while it runs; what came is in `requests`."""

    answer: Answering
    port: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            request = Request(method, path, headers, body)
            self.requests.append(request)
            status, answered = self.answer(request)
            content = json.dumps(answered).encode()
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nLocation: {self.url}/elsewhere\r\n"
                f"Connection: close\r\nContent-Length: {len(content)}\r\n\r\n".encode()
                + content
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def http_server(answer: Answering = lambda request: (200, {})) -> AsyncIterator[HttpServer]:
    """A server on a port of its own."""
    server = HttpServer(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


@dataclass
class MailServer:
    """`answers`: what is said to RCPT and DATA in turn; nothing left: 250."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    rcpt_answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    on_rcpt: Callable[[], None] = lambda: None
    on_data: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.on_rcpt()
        said = self.rcpt_answers.pop(0) if self.rcpt_answers else "250 fine"
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = self.data_answers.pop(0) if self.data_answers else "250 taken"
        if said.startswith("2"):
            content = cast(bytes, envelope.content)
            self.mails.append(message_from_bytes(content, policy=policy.default))
            self.recipients += envelope.rcpt_tos
        self.on_data()
        return said


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """An SMTP server on a port of its own, speaking the protocol by aiosmtpd."""
    server = MailServer()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(server, hostname="test", loop=loop), "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def figure(**told: Any) -> dict[str, Any]:
    """One that kpi-aggregator answers; too few answers by default."""
    nothing = dict.fromkeys(
        ("value", "ci95", "n", "n_eff", "weight", "promoters_weight", "detractors_weight")
    )
    return {**nothing, "suppressed": True, "reason": "too_few", **told}


MEASURED = figure(
    value=45.0,
    ci95=[8.4, 69.8],
    n=20,
    n_eff=20.0,
    weight="20",
    promoters_weight="12",
    detractors_weight="3",
    suppressed=False,
    reason="measured",
)


@dataclass
class OtherServices:
    """kpi-aggregator, attribution and survey-intake as far as they are asked."""

    names: dict[str, str] = field(default_factory=lambda: {"m1": "Mila", "bea": "Bea", "boss": "Bo <b>"})
    quotes: dict[str, str] = field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    down: bool = False

    def __call__(self, request: Request) -> tuple[int, Any]:
        path, _, query = request.path.partition("?")
        self.asked.append(path)
        if self.down:
            return 503, {}
        if path.startswith("/v1/employees/"):
            id = path.rpartition("/")[2]
            known = id in self.names
            return (
                (200, {"id": id, "name": self.names[id], "email": f"{id}@glass.test"}) if known else (404, {})
            )
        if path == "/v1/quotes":
            wanted = [part.partition("=")[2] for part in query.split("&")]
            items = [{"response_id": id, "quote": self.quotes[id]} for id in wanted if id in self.quotes]
            return 200, {"items": items}
        return 200, self.figures.get(path.removeprefix("/v1/kpis/nps/"), figure())
