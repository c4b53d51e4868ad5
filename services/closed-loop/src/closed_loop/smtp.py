"""Handing a mail to an SMTP server, up to the point after which only its answer tells whether it took it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

_SECONDS = 20.0


class MailRefusedError(Exception):
    """The server, or the way to it, refused. `code` is SMTP's, None without an answer; `final`: no use to try again."""

    def __init__(self, code: int | None, kind: str) -> None:
        self.final = code is not None and 500 <= code < 600
        super().__init__(f"{kind} {code}" if code is not None else kind)


class MailUncertainError(Exception):
    """The connection ended after the mail had been sent and before the answer."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes: `smtp://[user:password@]host[:port]`, `smtp+starttls://…` or `smtps://…`."""

    url: str

    def client(self) -> aiosmtplib.SMTP:
        parts = urlsplit(self.url)
        return aiosmtplib.SMTP(
            hostname=parts.hostname or "localhost",
            port=parts.port,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            start_tls=parts.scheme == "smtp+starttls",
            timeout=_SECONDS,
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail whose sender and recipient the server has accepted; nothing has been sent yet."""

    client: aiosmtplib.SMTP
    message: EmailMessage

    async def send(self) -> None:
        """Raises MailRefusedError when the server said no, MailUncertainError when it said nothing."""
        try:
            await self.client.data(self.message.as_bytes())
        except aiosmtplib.SMTPResponseException as error:
            raise MailRefusedError(error.code, type(error).__name__) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailUncertainError(type(error).__name__) from error


@asynccontextmanager
async def presented(server: Server, message: EmailMessage, *, to: str) -> AsyncIterator[Envelope]:
    """Connect and name sender and recipient. Raises MailRefusedError, after which nothing was sent."""
    client = server.client()
    try:
        try:
            await client.connect()
            await client.ehlo()
            await client.mail(str(message["From"].addresses[0].addr_spec))
            await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as error:
            raise MailRefusedError(error.code, type(error).__name__) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailRefusedError(None, type(error).__name__) from error
        yield Envelope(client, message)
    finally:
        client.close()
