import json
from decimal import Decimal

import msgspec

from bonus.domain.plan import Accepted, Employed, MinResponses, Payee, Plan

from .builders import component, plan

RICH = plan(
    component("own", weight="0.6"),
    component("unit", scope="own_unit", weight="0.4"),
    payees=[
        Payee(employee="m1", target_bonus_minor=1, weights={"unit": Decimal("0.3"), "own": Decimal("0.7")})
    ],
    gates=(MinResponses(minimum=10), Accepted(), Employed()),
    role_weights={"planner": {"unit": Decimal(1)}},
)


def test_the_text_hash_survives_being_stored_with_its_fields_in_another_order() -> None:
    stored = json.dumps(msgspec.to_builtins(RICH), sort_keys=True)
    assert msgspec.convert(json.loads(stored), Plan).text_hash == RICH.text_hash


def test_any_other_text_has_another_hash() -> None:
    assert msgspec.structs.replace(RICH, notice_days=31).text_hash != RICH.text_hash


def test_a_plan_asks_for_each_kpi_once() -> None:
    assert plan(component("a", weight="0.5"), component("b", weight="0.5", kpi="csat")).kpis == [
        "csat",
        "nps",
    ]
