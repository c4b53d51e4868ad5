"""How often promoters and detractors name a cause."""

from fairloop.auth import Role, roles
from fairloop.web import Answer, Routes, Session, Slug
from kpi_aggregator.api.asked import AskedDays
from kpi_aggregator.api.figures import WindowOut
from kpi_aggregator.domain.cause_answers import Naming, difference, finding
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.service.cause_answers import namings
from kpi_aggregator.service.kpi_settings import load_settings
from kpi_aggregator.service.tree import load_tree

routes = Routes(tag="kpis")


class NamingOut(Answer):
    """`rate` is `named` / `n`."""

    n: int
    named: int
    rate: float | None


class CauseAnswersOut(Answer):
    """For CSAT and CES promoters are the satisfied and detractors the dissatisfied. Few answers: all null.

    `z` compares the two rates; `finding` says what goes wrong when it is beyond ±1.96.
    """

    kpi: Kpi
    org_unit: str | None
    window: WindowOut
    suppressed: bool
    promoters: NamingOut | None
    passives: NamingOut | None
    detractors: NamingOut | None
    z: float | None
    finding: str | None


@routes.get(
    "/v1/kpis/{kpi}/cause-answers", allow=roles(Role.ADMIN, Role.OPS, Role.ANALYST, Role.WORKS_COUNCIL)
)
async def get_cause_answers(
    kpi: Kpi, session: Session, days: AskedDays, org_unit: Slug | None = None
) -> CauseAnswersOut:
    """Of the organisation, or of answers about one unit and those below it."""
    units = None if org_unit is None else (await load_tree(session)).subtree([org_unit])
    found = await namings(session, kpi, days, units=units)
    settings = await load_settings(session, kpi)
    window = WindowOut(from_=days.start, to=days.end)
    if sum(one.n for one in found.values()) < settings.min_n:
        return CauseAnswersOut(
            kpi=kpi,
            org_unit=org_unit,
            window=window,
            suppressed=True,
            promoters=None,
            passives=None,
            detractors=None,
            z=None,
            finding=None,
        )
    z = difference(found["promoter"], found["detractor"])
    return CauseAnswersOut(
        kpi=kpi,
        org_unit=org_unit,
        window=window,
        suppressed=False,
        promoters=_out(found["promoter"]),
        passives=_out(found["passive"]),
        detractors=_out(found["detractor"]),
        z=None if z is None else round(z, 4),
        finding=finding(z),
    )


def _out(naming: Naming) -> NamingOut:
    rate = naming.rate
    return NamingOut(n=naming.n, named=naming.named, rate=None if rate is None else round(rate, 4))
