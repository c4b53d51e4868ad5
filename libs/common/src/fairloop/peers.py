"""Asking another service over REST, as the role `service`."""

from collections.abc import Callable

import httpx

from fairloop.settings import ServiceSettings
from fairloop.tracing import current
from fairloop.trust import trusted
from fairloop.wire import TRACEPARENT

PeerClient = Callable[[str], httpx.AsyncClient]
"""Service name → a client for it; use it with `async with`, never inside a transaction, for one request of ours."""


def peer_client(settings: ServiceSettings) -> PeerClient:
    """Clients as the environment describes the peers. An unknown peer raises KeyError."""

    def client(name: str) -> httpx.AsyncClient:
        traceparent = current()
        return httpx.AsyncClient(
            base_url=settings.peer_urls[name],
            headers={
                "Authorization": f"Bearer {settings.service_token.get_secret_value()}",
                **({} if traceparent is None else {TRACEPARENT: traceparent}),
            },
            timeout=httpx.Timeout(30, connect=3),
            verify=trusted(),
        )

    return client
