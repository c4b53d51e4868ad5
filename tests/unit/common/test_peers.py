"""Clients for the other services."""

import ssl
from unittest.mock import Mock

import pytest

from fairloop.peers import peer_client
from fairloop.settings import ServiceSettings
from fairloop.testing import ENVIRONMENT
from fairloop.trust import trusted


async def test_however_many_questions_are_asked_authorities_are_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading = Mock(wraps=ssl.create_default_context)
    monkeypatch.setattr(ssl, "create_default_context", reading)
    trusted.cache_clear()
    peers = peer_client(
        ServiceSettings.model_validate({**ENVIRONMENT, "peer_urls": {"bonus": "https://bonus.example"}})
    )
    for _ in range(3):
        async with peers("bonus"):
            pass
    assert reading.call_count == 1
