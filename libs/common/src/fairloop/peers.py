"""Asking another service over REST, as the role `service`."""

from collections.abc import Callable

import httpx

from fairloop.settings import ServiceSettings

PeerClient = Callable[[str], httpx.AsyncClient]
"""Service name → a client for it; use it with `async with`, never inside a transaction."""


def peer_client(settings: ServiceSettings) -> PeerClient:
    """Clients as the environment describes the peers. An unknown peer raises KeyError."""

    def client(name: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=settings.peer_urls[name],
            headers={"Authorization": f"Bearer {settings.service_token.get_secret_value()}"},
            timeout=httpx.Timeout(30, connect=3),
        )

    return client
