"""A customer asks to be forgotten."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path

from fairloop.auth import Role, roles
from fairloop.web import Answer, Now, Routes, Session
from survey_intake.api.resource import Intake
from survey_intake.service.erasing import erase_customer

routes = Routes(tag="customers")


class ErasureReceipt(Answer):
    """`responses`, `invitations` and `quarantined`: what this request erased; 0 when it was done before or nothing was known."""

    receipt: UUID
    erased_at: datetime
    responses: int
    invitations: int
    quarantined: int


@routes.delete("/v1/customers/{ref:path}", allow=roles(Role.ADMIN, Role.OPS), status_code=202)
async def delete_customer(
    ref: Annotated[str, Path(min_length=1, max_length=256)], session: Session, intake: Intake, now: Now
) -> ErasureReceipt:
    erasure = await erase_customer(session, ref, now=now, keyring=intake.keyring)
    return ErasureReceipt.model_validate(erasure)
