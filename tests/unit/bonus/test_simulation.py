import random
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from bonus.domain.plan import Plan
from bonus.domain.resampling import pile
from bonus.domain.settlement import settle
from bonus.domain.simulation import Past, replay
from bonus.domain.snapshot import Circumstances, Figures, Snapshot

from .builders import QUARTER, assigned, component, figure, plan, snapshot, standing

NAMES = ["a", "b", "c", "d"]
WHERE = standing(accepted=(), **{name: [assigned("north")] for name in NAMES})
CATEGORIES = ("promoter", "promoter", "promoter", "passive", "detractor")


def answer(number: int, employee: str, category: str, day: date) -> msgspec.Raw:
    body = {
        "response_id": f"r{number:04}",
        "day": day,
        "score": {"promoter": 9, "passive": 8, "detractor": 3}[category],
        "category": category,
        "org_unit": "north",
        "entries": [
            {"subject_type": "employee", "subject_id": employee, "share": "0.500000", "org_unit": "north"},
            {"subject_type": "org_unit", "subject_id": "supply", "share": "0.500000"},
        ],
        "participants": [{"employee": employee, "org_unit": "north", "verified": True, "excluded": False}],
    }
    return msgspec.Raw(msgspec.json.encode(body))


def facts(days: int = 90) -> Snapshot:
    """Twenty answers each of a, b and c, three in five promoters; d has none."""
    made = [
        answer(
            number,
            NAMES[number % 3],
            CATEGORIES[number // 3 % 5],
            QUARTER.start + timedelta(days=number % days),
        )
        for number in range(60)
    ]
    frozen = snapshot(
        *(figure(f"employee:{name}", "40") for name in "abc"),
        figure("employee:d", None, n=0),
        figure("org_unit:north", "40", n=60),
        figure("org_unit:company", "40", n=60),
        figure("organisation:all", "40", view="all", n=60),
    )
    parents = {"company": None, "north": "company", "supply": "company"}
    return msgspec.structs.replace(
        frozen, contributions=tuple(made), circumstances=Circumstances(parents=parents)
    )


def past(rules: Plan, days: int = 90) -> Past:
    snapshots = {"nps": facts(days)}
    approved, _ = settle(rules, WHERE, Figures.of(snapshots["nps"].figures))
    return Past("2026Q1", rules, WHERE, snapshots, approved)


def test_the_frozen_responses_drawn_once_each_are_the_frozen_figures() -> None:
    rules = plan(component("own"), component("unit", scope="own_unit", weight="0"), payees=NAMES)
    figures = Figures.of(facts().figures)
    heap = pile([facts()], rules.components, figures)
    whole = heap.weighted(dict.fromkeys(range(len(heap.blocks)), 1))
    for key, frozen in figures.by_key.items():
        if key[1] != "organisation":
            assert (whole.by_key[key].value, whole.by_key[key].n) == (frozen.value, frozen.n), key


def test_weeks_are_drawn_where_there_are_enough_of_them() -> None:
    rules = plan(payees=NAMES)
    figures = Figures.of(facts().figures)
    assert (
        pile([facts(80)], rules.components, figures).by,
        len(pile([facts(80)], rules.components, figures).blocks),
    ) == ("week", 9)
    short = pile([facts(20)], rules.components, figures)
    assert (short.by, len(short.blocks)) == ("response", 60)


def test_a_candidate_is_compared_with_what_was_approved() -> None:
    rules = plan(payees=NAMES, scheme="individual")
    flat = plan(payees=NAMES, scheme="everyone", flat_bonus_minor=60_000)
    told = replay(flat, past(rules), replicates=0, seed=0)
    assert (told.before_minor, told.total_minor, told.chance) == (400_000, 240_000, None)
    assert [(one.employee, one.before_minor, one.difference_minor) for one in told.people] == [
        (name, 100_000, -40_000) for name in NAMES
    ]
    (unit,) = told.units
    assert (unit.org_unit, unit.people, unit.difference_minor) == ("north", 4, -160_000)


def test_a_candidate_without_payees_is_about_those_of_the_period() -> None:
    rules = plan(payees=NAMES, scheme="individual")
    nobody = msgspec.structs.replace(rules, payees=())
    assert replay(nobody, past(rules), replicates=0, seed=0).total_minor == 400_000


def test_chance_is_told_and_the_same_for_the_same_seed() -> None:
    rules = plan(payees=NAMES)
    one, same, other = (replay(rules, past(rules), replicates=60, seed=seed).chance for seed in (1, 1, 2))
    assert one is not None
    assert (one.blocks, one.replicates) == ("week", 60)
    assert one.cost_p5_minor < one.cost_p50_minor < one.cost_p95_minor
    assert one == same != other


def test_pay_by_persons_is_noisier_than_pay_by_team() -> None:
    """Everybody's true score is the same, so what differs between persons is chance; a team's payouts do not differ."""
    rules = plan(payees=NAMES[:3])
    before = past(rules)
    uneven = msgspec.structs.replace(
        before.snapshots["nps"],
        figures=(
            figure("employee:a", "50"),
            figure("employee:b", "40"),
            figure("employee:c", "30"),
            *before.snapshots["nps"].figures[4:],
        ),
    )
    heard = Past(before.period, rules, WHERE, {"nps": uneven}, before.approved)
    alone = replay(rules, heard, replicates=50, seed=3).chance
    team = replay(
        plan(component("unit", scope="own_unit"), payees=NAMES[:3]), heard, replicates=50, seed=3
    ).chance
    assert alone is not None
    assert alone.noise_share is not None
    assert alone.noise_share > 0.5
    assert team is not None
    assert team.noise_share is None


def test_a_figure_that_is_missing_is_told_and_pays_nobody() -> None:
    rules = plan(payees=NAMES, scheme="individual")
    csat = plan(component("own", kpi="csat"), payees=NAMES)
    told = replay(csat, past(rules), replicates=10, seed=0)
    assert told.missing is not None
    assert "even the organisation has no csat" in told.missing
    assert (told.people, told.total_minor) == ((), 0)


@pytest.mark.parametrize("seed", range(3))
def test_halves_share_no_response(seed: int) -> None:
    rules = plan(payees=NAMES)
    heap = pile([facts(20)], rules.components, Figures.of(facts().figures))
    one, rest = heap.halves(random.Random(seed))
    key = ("nps", "org_unit", "north", "influenced")
    assert (one.by_key[key].n or 0) + (rest.by_key[key].n or 0) == 60
    assert isinstance(one.by_key[key].value, Decimal)
