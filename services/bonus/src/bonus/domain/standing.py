"""What besides scores and plan decides a run."""

from collections.abc import Mapping

import msgspec

from bonus.domain.tenure import Assigned, Days


class Standing(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """The payees' assignments within the period, and who accepted the plan."""

    period: Days
    assignments: dict[str, tuple[Assigned, ...]]
    accepted: tuple[str, ...]

    @classmethod
    def of(cls, period: Days, assignments: Mapping[str, list[Assigned]], accepted: set[str]) -> "Standing":
        """Clipped to the period and sorted, so that what does not matter cannot change the hash."""
        clipped = {
            employee: sorted(
                Assigned(days, a.org_unit, a.role)
                for a in held
                if (days := a.days.within(period.start, period.end)).count
            )
            for employee, held in sorted(assignments.items())
        }
        return cls(
            period=period,
            assignments={employee: tuple(held) for employee, held in clipped.items() if held},
            accepted=tuple(sorted(accepted)),
        )

    def org_units(self, employee: str) -> list[str]:
        """Where the person worked in the period."""
        return sorted({held.org_unit for held in self.assignments.get(employee, ())})

    def only(self, employee: str, accepted: bool) -> "Standing":
        """One person's own, `accepted` being known."""
        held = self.assignments.get(employee)
        return Standing(
            period=self.period,
            assignments={employee: held} if held else {},
            accepted=(employee,) if accepted else (),
        )
