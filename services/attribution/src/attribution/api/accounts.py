"""Accounts: who looks after a customer. Customers are kept as a keyed hash only."""

from typing import Annotated

from fastapi import Path
from sqlalchemy import select

from attribution.api.asked import WRITERS, At, Settings, keyed
from attribution.service import directory
from attribution.tables import AccountRow
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Listing, Paging, Routes, Session, Slug, listing

routes = Routes(tag="directory")

_READERS = WRITERS | roles(Role.SERVICE)
CustomerRef = Annotated[str, Path(min_length=1, max_length=256)]


class AccountIn(Body):
    owner: Slug

    def row(self, customer: str) -> AccountRow:
        return AccountRow(id=customer, owner=self.owner)


class AccountOut(Answer):
    customer: str
    owner: str
    version: int


def _out(row: AccountRow) -> AccountOut:
    return AccountOut(customer=row.id, owner=row.owner, version=row.version)


@routes.put("/v1/accounts/{customer_ref}", allow=WRITERS)
async def put_account(
    customer_ref: CustomerRef, body: AccountIn, session: Session, at: At, settings: Settings
) -> AccountOut:
    return _out(await directory.put(session, body.row(keyed(customer_ref, settings)), at=at))


@routes.get("/v1/accounts/{customer_ref}", allow=_READERS)
async def get_account(customer_ref: CustomerRef, session: Session, settings: Settings) -> AccountOut:
    row = await session.get(AccountRow, keyed(customer_ref, settings))
    if row is None:
        raise NotFound("This customer has no account.")
    return _out(row)


@routes.get("/v1/accounts", allow=_READERS)
async def list_accounts(session: Session, page: Paging) -> Listing[AccountOut]:
    return await listing(session, select(AccountRow), by=[AccountRow.id], page=page, to=_out)
