"""Published by attribution: the directory. One topic, one partition. No names or e-mails of people."""

from datetime import date
from typing import ClassVar

from fairloop.events.model import EventData


class OrgUnit(EventData, frozen=True, kw_only=True, gc=False):
    """A unit of the organisation; the top one has no parent."""

    type: ClassVar[str] = "directory.org-unit.v1"
    topic: ClassVar[str] = "directory.v1"

    org_unit: str
    name: str
    parent: str | None = None

    @property
    def key(self) -> str:
        return f"org-unit:{self.org_unit}"


class Role(EventData, frozen=True, kw_only=True, gc=False):
    """A kind of work, the row of an influence matrix."""

    type: ClassVar[str] = "directory.role.v1"
    topic: ClassVar[str] = "directory.v1"

    role: str
    name: str
    customer_facing: bool = True

    @property
    def key(self) -> str:
        return f"role:{self.role}"


class Employee(EventData, frozen=True, kw_only=True, gc=False):
    """A person, by id."""

    type: ClassVar[str] = "directory.employee.v1"
    topic: ClassVar[str] = "directory.v1"

    employee: str
    manager: str | None = None
    level: str | None = None
    calendar: str | None = None
    active: bool = True

    @property
    def key(self) -> str:
        return f"employee:{self.employee}"


class Assignment(EventData, frozen=True, kw_only=True, gc=False):
    """Who works where as what, in [valid_from, valid_to)."""

    type: ClassVar[str] = "directory.assignment.v1"
    topic: ClassVar[str] = "directory.v1"

    assignment: str
    employee: str
    role: str
    org_unit: str
    valid_from: date
    valid_to: date | None = None

    @property
    def key(self) -> str:
        return f"assignment:{self.assignment}"


class Account(EventData, frozen=True, kw_only=True, gc=False):
    """Who looks after a customer; `customer` is the keyed hash of the customer's reference."""

    type: ClassVar[str] = "directory.account.v1"
    topic: ClassVar[str] = "directory.v1"

    customer: str
    owner: str

    @property
    def key(self) -> str:
        return f"account:{self.customer}"
