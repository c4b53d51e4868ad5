"""Two plain ways to compute payouts: as fast as arrays and COPY go, and as an ORM invites one to write it."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID, uuid4

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Text, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bonus.domain.curve import Curve
from bonus.domain.plan import Component, Payee, Plan
from bonus.domain.snapshot import Figure
from bonus.service.acceptances import accepted_by
from bonus.service.directory import assignments_of
from bonus.service.plans import plan_version
from bonus.tables import Posting
from fairloop.db import copy_in, sql
from fairloop.testing import Box

Numbers = NDArray[np.float64]
DAYS = 90
ORGANISATION = ("organisation", "all", "all")
_TABLE = "CREATE TABLE IF NOT EXISTS amount (run uuid, employee text, payout_minor bigint, held_minor bigint)"


class OnlyFigures(msgspec.Struct):
    """A snapshot without its contributions."""

    figures: tuple[Figure, ...]


Key = tuple[str, str, str]
"""Scope type, scope id, view."""


async def _figures(box: Box) -> dict[Key, Figure]:
    async with box.runtime.peers("kpi-aggregator") as client:
        body = (await client.get("/v1/snapshots/1")).content
    found = msgspec.json.decode(body, type=OnlyFigures).figures
    return {(one.scope_type, one.scope_id, one.view): one for one in found}


async def floor(box: Box) -> None:
    """The same reading; amounts in arrays; one row of amounts a payee."""
    async with box.db.begin() as session:
        held = await plan_version(session, "p", 1)
        plan = held.plan
        names = [payee.employee for payee in plan.payees]
        assignments = await assignments_of(session, names)
        accepted = await accepted_by(session, "p", held.text_hash)
    figures = await _figures(box)
    units = {name: assignments[name][0].org_unit for name in names if name in assignments}
    amounts = _amounts(plan, figures, names, units)
    for place, name in enumerate(names):
        days = sum((one.days.end - one.days.start).days for one in assignments.get(name, ()))
        amounts[place] *= days / DAYS
    payouts = np.rint(amounts).astype(np.int64).tolist()
    run = uuid4()
    async with box.db.begin() as session:
        await sql(session, _TABLE)
        rows = (
            (run, name, payout, 0 if name in accepted else payout)
            for name, payout in zip(names, payouts, strict=True)
        )
        await copy_in(session, "amount", ("run", "employee", "payout_minor", "held_minor"), rows)


def _amounts(
    plan: Plan, figures: Mapping[Key, Figure], names: Iterable[str], units: Mapping[str, str]
) -> Numbers:
    """Before days and rounding."""
    bonus = np.array([payee.target_bonus_minor for payee in plan.payees], dtype=np.float64)
    caps = np.array([np.inf if payee.cap_minor is None else payee.cap_minor for payee in plan.payees])
    own, unit, organisation = plan.components
    of_unit = [figures.get(("org_unit", units.get(name, ""), unit.view)) for name in names]
    mine = [figures.get(("employee", name, own.view)) for name in names]
    everybody = float(figures[ORGANISATION].value or 0)
    scores = _column([None if one is None else one.value for one in mine], everybody)
    kept = _column([None if one is None else one.reliability for one in mine], 0)
    shared = _column([None if one is None else one.value for one in of_unit], everybody)
    f_own = kept * _multiples(own.curve, scores) + (1 - kept) * _multiples(own.curve, shared)
    parts = (
        f_own,
        _multiples(unit.curve, shared),
        _multiples(organisation.curve, np.full_like(bonus, everybody)),
    )
    weighted = sum(
        (float(one.weight) * part for one, part in zip(plan.components, parts, strict=True)),
        np.zeros_like(bonus),
    )
    return np.minimum(bonus * weighted, caps)


def _column(values: Iterable[Decimal | None], otherwise: float) -> Numbers:
    return np.array([otherwise if value is None else float(value) for value in values])


def _multiples(curve: Curve, scores: Numbers) -> Numbers:
    points = [float(curve.threshold), float(curve.target), float(curve.excellence)]
    f = np.interp(scores, points, [float(curve.at_threshold), 1.0, float(curve.cap)])
    return np.where(scores < points[0], 0.0, f)


class Base(DeclarativeBase):
    """What the ORM's way writes."""


class Paid(Base):
    """One payee's amount."""

    __tablename__ = "paid"

    run: Mapped[UUID] = mapped_column(primary_key=True)
    employee: Mapped[str] = mapped_column(Text, primary_key=True)
    payout_minor: Mapped[int] = mapped_column(BigInteger)
    held_minor: Mapped[int] = mapped_column(BigInteger)


async def with_orm(box: Box) -> None:
    """One payee after the other: load what is about it, compute with Decimal, add an object, flush."""
    figures = await _figures(box)
    run = uuid4()
    async with box.db.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with box.db.begin() as session:
        held = await plan_version(session, "p", 1)
        accepted = await accepted_by(session, "p", held.text_hash)
        for payee in held.plan.payees:
            found = await session.scalars(select(Posting).where(Posting.employee == payee.employee))
            postings = list(found)
            unit = postings[0].org_unit if postings else ""
            days = sum(((one.valid_to or one.valid_from) - one.valid_from).days for one in postings)
            payout = _amount(held.plan, payee, figures, unit, days)
            kept_back = 0 if payee.employee in accepted else payout
            session.add(Paid(run=run, employee=payee.employee, payout_minor=payout, held_minor=kept_back))
            await session.flush()


def _amount(plan: Plan, payee: Payee, figures: Mapping[Key, Figure], unit: str, days: int) -> int:
    everybody = figures[ORGANISATION].value or Decimal(0)

    def score(component: Component) -> Decimal:
        if component.scope == "self":
            found = figures.get(("employee", payee.employee, component.view))
        else:
            found = figures.get(("org_unit", unit, component.view))
        return everybody if found is None or found.value is None else found.value

    total = sum((one.weight * _multiple(one.curve, score(one)) for one in plan.components), Decimal(0))
    amount = payee.target_bonus_minor * total * days / DAYS
    if payee.cap_minor is not None:
        amount = min(amount, Decimal(payee.cap_minor))
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _multiple(curve: Curve, score: Decimal) -> Decimal:
    if score < curve.threshold:
        return Decimal(0)
    if score < curve.target:
        slope = (1 - curve.at_threshold) / (curve.target - curve.threshold)
        return curve.at_threshold + slope * (score - curve.threshold)
    if score >= curve.excellence:
        return curve.cap
    return 1 + (curve.cap - 1) * (score - curve.target) / (curve.excellence - curve.target)
