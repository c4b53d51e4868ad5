"""What closed-loop is told by its environment, beside what every service is told."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from closed_loop.domain.addresses import networks
from fairloop.settings import ServiceSettings

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class ClosedLoopSettings(ServiceSettings):
    """`timezone` decides on which local date a case was opened, hence which assignments count."""

    keep_notification_days: int = 400  # of closed cases, and what is about no case; 0: for good
    smtp_url: SecretStr | None = None  # smtp, smtp+starttls or smtps://[user:password@]host[:port]
    mail_from: str = ""
    link_base_url: str = ""  # what links in digests begin with; empty: this service's own address
    digest_weekday: Weekday = "mon"
    digest_hour: int = Field(
        default=8, ge=0, le=23
    )  # by the wall clock of who gets it: their calendar's zone, else timezone
    webhook_allowed_networks: tuple[str, ...] = ()  # beside public addresses, as JSON: ["10.1.0.0/16"]
    webhook_give_up_days: int = 5
    keep_webhook_days: int = 30  # of what was delivered or given up; 0: for good

    @field_validator("webhook_allowed_networks")
    @classmethod
    def _are_networks(cls, named: tuple[str, ...]) -> tuple[str, ...]:
        networks(named)
        return named

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> "ClosedLoopSettings":
        if self.smtp_url is not None and not self.mail_from:
            raise ValueError("with a smtp_url there must be a mail_from")
        return self
