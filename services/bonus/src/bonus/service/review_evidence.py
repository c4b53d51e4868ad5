"""What other services know about a goal: disputes about its payees, and whether people do what it relies on."""

from collections.abc import Collection
from datetime import date, datetime
from typing import TypeVar

import httpx
import msgspec

from fairloop.errors import Unavailable
from fairloop.peers import PeerClient

T = TypeVar("T")


class Disputes(msgspec.Struct, frozen=True, kw_only=True):
    """Disputes about the plan's payees in the last year."""

    filed: int
    upheld: int
    open: int


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """Of `n` observations in the organisation, the share that showed the expected behaviour; null when too few."""

    n: int | None
    share: str | None


class _Dispute(msgspec.Struct):
    employee: str
    status: str
    filed_at: datetime


class _Page(msgspec.Struct):
    items: list[_Dispute]
    next: str | None = None


class _AdoptionPage(msgspec.Struct):
    total: Adoption


async def disputes_about(peers: PeerClient, payees: Collection[str], since: date) -> Disputes | None:
    """None when attribution does not answer."""
    found: list[_Dispute] = []
    cursor: str | None = None
    try:
        async with peers("attribution") as client:
            while True:
                asked = {"limit": "500"} | ({"cursor": cursor} if cursor else {})
                page = await _get(client, "/v1/disputes", asked, _Page)
                found += [
                    one for one in page.items if one.filed_at.date() >= since and one.employee in payees
                ]
                cursor = page.next
                if cursor is None or page.items[-1].filed_at.date() < since:
                    break
    except Unavailable:
        return None
    return Disputes(
        filed=len(found),
        upheld=sum(one.status == "upheld" for one in found),
        open=sum(one.status == "open" for one in found),
    )


async def adoption_of(peers: PeerClient, since: date, today: date) -> Adoption | None:
    """None when closed-loop does not answer."""
    asked = {"from": since.isoformat(), "to": today.isoformat()}
    try:
        async with peers("closed-loop") as client:
            return (await _get(client, "/v1/adoption/organisation/all", asked, _AdoptionPage)).total
    except Unavailable:
        return None


async def _get(client: httpx.AsyncClient, path: str, asked: dict[str, str], shape: type[T]) -> T:
    try:
        response = await client.get(path, params=asked)
    except httpx.HTTPError as error:
        raise Unavailable(f"{path} cannot be asked.") from error
    if not response.is_success:
        raise Unavailable(f"{path} answered {response.status_code}.")
    try:
        return msgspec.json.decode(response.content, type=shape)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"{path} answered something else than agreed: {error}.") from error
