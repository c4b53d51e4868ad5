"""The map from events to use cases, nothing else."""

from bonus.service.directory import store_assignments, store_employees, store_roles, store_units
from bonus.service.snapshots import store_announcements
from bonus.settings import BonusSettings
from fairloop.clock import Clock
from fairloop.events import Assignment, Employee, KpiSnapshot, OrgUnit, Role
from fairloop.service import Handlers


def build_handlers(settings: BonusSettings, clock: Clock) -> Handlers:
    return {
        OrgUnit: store_units,
        Role: store_roles,
        Employee: store_employees,
        Assignment: store_assignments,
        KpiSnapshot: store_announcements,
    }
