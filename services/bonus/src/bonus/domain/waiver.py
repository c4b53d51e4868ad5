"""A finding that was let pass: by whom, why, and kept with the version of the plan for everybody to read."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from bonus.domain.lint import Code, Finding

_OPEN = frozenset({"blocking"})
_STRICT = frozenset({"blocking", "warning"})


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """Names a finding by its code, and by `pointer` where only one of several is meant."""

    code: Code
    reason: str
    by: str
    at: datetime
    pointer: str | None = None

    def names(self, finding: Finding) -> bool:
        return self.code == finding.code and self.pointer in {None, finding.pointer}


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A finding and what was decided about it."""

    finding: Finding
    waiver: Waiver | None = None

    def stops(self, *, strict: bool) -> bool:
        """Whether it keeps the plan from being published; `strict`: warnings do, too."""
        return self.waiver is None and self.finding.severity in (_STRICT if strict else _OPEN)


def judge(found: Iterable[Finding], waivers: Iterable[Waiver]) -> list[Judged]:
    """Each finding with the first waiver that names it; what names nothing that was found is not kept."""
    given = list(waivers)
    return [
        Judged(finding=finding, waiver=next((waiver for waiver in given if waiver.names(finding)), None))
        for finding in found
    ]
