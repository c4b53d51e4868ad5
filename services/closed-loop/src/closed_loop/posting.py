"""The worker's loop that posts webhooks: claimed in one transaction, posted outside any, settled in another.

A worker that dies in between leaves the attempt to be made again: a receiver may see a message twice, under the same
webhook-id, and loses none.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx
import structlog

from closed_loop.domain.addresses import Network, may_be_called, networks
from closed_loop.domain.retrying import Verdict, verdict
from closed_loop.sealing import SecretBox
from closed_loop.service.webhooks import Attempt, claim, settle
from fairloop.db import is_transient
from fairloop.service import Runtime
from fairloop.standard_webhooks import signed_headers
from fairloop.trust import trusted
from fairloop.waiting import wait_for_event

log = structlog.get_logger()

_POLL_SECONDS = 0.5
_AT_ONCE = 20
_SECONDS = 15.0
_TIMEOUT = httpx.Timeout(_SECONDS, connect=5)


class NotAllowedAddressError(Exception):
    """The receiver's name stands for an address that webhooks do not go to."""


@dataclass(frozen=True, slots=True)
class Result:
    """`answer`: the status, or the kind of error; never what the receiver wrote."""

    outcome: Verdict
    answer: str


async def webhooks(runtime: Runtime) -> None:
    """Post what is due until told to stop."""
    while not runtime.stopping.is_set():
        try:
            busy = await post_due(runtime)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("webhooks_wait_for_database", error=type(error).__name__)
            busy = 0
        if not busy:
            await wait_for_event(runtime.stopping, _POLL_SECONDS)


async def post_due(runtime: Runtime) -> int:
    """Make the attempts that are due, side by side; says how many."""
    async with runtime.db.begin() as session:
        attempts = await claim(session, now=runtime.clock(), most=_AT_ONCE)
    if not attempts:
        return 0
    allowed = networks(runtime.settings.webhook_allowed_networks)
    box = SecretBox(runtime.settings.pseudonym_key)
    # a connection is never shared: two receivers may have names for the same address
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        timeout=_TIMEOUT, limits=limits, verify=trusted(), trust_env=False, follow_redirects=False
    ) as client:
        made = await asyncio.gather(
            *(_make(runtime, client, box, allowed, attempt) for attempt in attempts), return_exceptions=True
        )
    for outcome in made:
        if isinstance(outcome, BaseException):
            raise outcome
    return len(attempts)


async def _make(
    runtime: Runtime, client: httpx.AsyncClient, box: SecretBox, allowed: Sequence[Network], attempt: Attempt
) -> None:
    key = box.open(attempt.secret, attempt.subscription)
    headers = signed_headers(key, attempt.message_id, attempt.body, at=runtime.clock())
    result = await post(client, attempt.url, attempt.body, headers, allowed=allowed)
    async with runtime.db.begin() as session:
        state = await settle(
            session,
            attempt,
            result.outcome,
            result.answer,
            now=runtime.clock(),
            give_up_after=timedelta(days=runtime.settings.webhook_give_up_days),
        )
    log.info(
        "webhook_attempted",
        message=attempt.message_id,
        subscription=attempt.subscription,
        attempt=attempt.attempts,
        answer=result.answer,
        state=state,
    )


async def post(
    client: httpx.AsyncClient,
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    allowed: Sequence[Network],
) -> Result:
    """One attempt: the name is resolved, and the connection goes to the very address that was looked at."""
    asked = httpx.URL(url)
    try:
        async with asyncio.timeout(_SECONDS):
            request = client.build_request(
                "POST",
                asked.copy_with(host=await _address(asked, allowed)),
                content=body,
                headers={
                    **headers,
                    "host": asked.netloc.decode(),
                    "content-type": "application/json",
                    "user-agent": "Fairloop-Webhooks/1",
                },
                extensions={"sni_hostname": asked.host},
            )
            response = await client.send(request, stream=True)
            await response.aclose()
    except (httpx.HTTPError, OSError, NotAllowedAddressError) as error:
        return Result("again", type(error).__name__)
    return Result(verdict(response.status_code), str(response.status_code))


async def _address(url: httpx.URL, allowed: Sequence[Network]) -> str:
    """Raises OSError when the name is not known, NotAllowedAddressError when any of its addresses is not allowed."""
    port = url.port or (443 if url.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    found = [entry[4][0] for entry in await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)]
    if not found or not all(may_be_called(str(address), allowed) for address in found):
        raise NotAllowedAddressError
    return str(found[0])
