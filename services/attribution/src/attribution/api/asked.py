"""What every route of this service asks of a request, and the fields that several bodies share."""

from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field

from attribution.service.attribute import Moment
from attribution.settings import AttributionSettings
from fairloop.auth import Role, roles
from fairloop.pseudonym import customer_key
from fairloop.web import Now

WRITERS = roles(Role.ADMIN, Role.OPS)
"""Who keeps the directory and the rules, and sees everything in this service."""

Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Paragraph = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")]


async def _settings(request: Request) -> AttributionSettings:
    settings: AttributionSettings = request.app.state.runtime.settings
    return settings


Settings = Annotated[AttributionSettings, Depends(_settings)]


async def _at(now: Now, settings: Settings) -> Moment:
    return Moment(now, settings.zone)


At = Annotated[Moment, Depends(_at)]
"""The time of the request, with the organisation's time zone."""


def keyed(customer_ref: str, settings: AttributionSettings) -> str:
    """The keyed hash that stands for a customer; the reference itself is never stored."""
    return customer_key(settings.pseudonym_key.get_secret_value(), customer_ref)
