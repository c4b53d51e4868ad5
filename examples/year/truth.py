"""Whether the API tells what was planted, asked as anybody could ask it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Any

from examples.windscreen.client import Checks, Fairloop
from examples.windscreen.expected import nps
from examples.year.company import BRANCHES, MECHANICS, SCHEDULERS, YearCompany
from examples.year.expected import (
    CURVE,
    TARGET_BONUS,
    Counts,
    figure,
    nps_differs,
    payouts,
    share_differs,
)
from examples.year.generator import BAD_MONTH, UNFAIR_BRANCH, Job, Year, burdened
from rich.console import Console

SURE, SEEN = 4.0, 2.0
"""|z| of what leaps to the eye at the year's whole size, and of what shows in all answers together."""
LARGE = 0.5
"""The scale from which on a year is large enough to show more than the supplier's month."""
CHANCE = 3.0
"""|z| up to which a difference may be chance."""
WAIVERS = [
    {"code": code, "reason": "a generated year has no notice to give"}
    for code in ("short_notice", "too_few_responses")
]
EVERYBODY = tuple(name for branch in BRANCHES for name in MECHANICS[branch])


@dataclass
class Asking:
    """What every check needs. `unplanted` is the same year without the two problems."""

    api: Fairloop
    checks: Checks
    console: Console
    company: YearCompany
    year: Year
    unplanted: Year
    scale: float

    @property
    def period(self) -> dict[str, str]:
        return {"from": self.year.months[0].isoformat(), "to": self.year.months[-1].isoformat()}

    @property
    def bad_month(self) -> dict[str, str]:
        first, following = self.year.months[BAD_MONTH : BAD_MONTH + 2]
        return {"from": first.isoformat(), "to": following.isoformat()}

    def shows(self, what: str, z: float, least: float) -> None:
        """A planted difference; in a small year only said, not demanded."""
        if self.scale >= LARGE:
            self.checks.true(f"{what} (z {z:.1f})", z >= least)

    def does_not_fall(self, what: str, z: float) -> None:
        """Nothing beyond what may be chance."""
        self.checks.true(f"{what} (z {z:.1f})", z >= -CHANCE)

    def figure(self, scope: str, name: str, view: str, days: dict[str, str] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(
            "kpi-aggregator",
            f"/v1/kpis/nps/{scope}/{self.company.id(name)}",
            view=view,
            **(days or self.period),
        )
        return found

    def month_and_rest(self, scope: str, name: str, view: str) -> tuple[Counts, Counts]:
        """The supplier's month, and the eleven others."""
        month = Counts.shown(self.figure(scope, name, view, self.bad_month))
        return month, Counts.shown(self.figure(scope, name, view)) - month

    def people(self, view: str) -> dict[str, dict[str, Any]]:
        """The figure of every mechanic."""
        found = {}
        for branch in BRANCHES:
            page = self.api.every(
                "kpi-aggregator",
                "/v1/kpis/nps/employee",
                org_unit=self.company.id(branch),
                view=view,
                **self.period,
            )
            found.update({one["scope_id"]: one for one in page})
        return {name: found[self.company.id(name)] for name in EVERYBODY}

    def say(self, text: str) -> None:
        self.console.print(f"  {text}")


def every_answer_counts(asking: Asking) -> None:
    """Every figure of a person and a unit is the fold of what was sent."""

    def expect(what: str, shown: dict[str, Any], answers: Iterable[Job]) -> None:
        wanted = figure(answers)
        found = (shown["value"], shown["ci95"], shown["n"])
        asking.checks.equal(
            what,
            found,
            (None, None, None) if wanted is None else (wanted.value, [wanted.low, wanted.high], wanted.n),
        )

    answers = asking.year.answers
    wrong_windows = [answer for answer in answers if answer.cause == "Right window present"]
    expect("the company", asking.figure("org_unit", "glass", "all"), answers)
    expect("supply, the wrong windows", asking.figure("org_unit", "supply", "influenced"), wrong_windows)
    for branch in BRANCHES:
        here = [answer for answer in answers if answer.branch == branch]
        expect(branch, asking.figure("org_unit", branch, "all"), here)
        own = [answer for answer in here if answer.mechanics_own]
        expect(f"{branch}, influenced", asking.figure("org_unit", branch, "influenced"), own)
    for view, counts in (("all", lambda _: True), ("influenced", lambda answer: answer.mechanics_own)):
        of_view: Callable[[Job], bool] = counts
        for name, shown in asking.people(view).items():
            expect(f"{name}, {view}", shown, [a for a in answers if a.mechanic == name and of_view(a)])
    asking.say(f"{len(answers)} answers, and every person's and unit's figure is exactly what was sent")


def the_bad_supplier(asking: Asking) -> None:
    """Supply's cause rises in its month; the mechanics' answers fall with it, what they influence does not."""
    named, rest = asking.month_and_rest("org_unit", "supply", "influenced")
    of_all, of_rest = asking.month_and_rest("org_unit", "glass", "all")
    rises = share_differs(named.n, of_all.n, rest.n, of_rest.n)
    everything = nps_differs(*asking.month_and_rest("role", "mechanic", "all"))
    influenced = nps_differs(*asking.month_and_rest("role", "mechanic", "influenced"))
    asking.checks.true(f"supply's cause rises (z {rises:.1f})", rises >= SURE * sqrt(asking.scale))
    asking.shows("all answers fall", -everything, SEEN)
    asking.does_not_fall("what mechanics influence does not fall", influenced)
    asking.say(
        f"the supplier's month: wrong windows named by {100 * named.n / of_all.n:.0f} % instead of "
        f"{100 * rest.n / of_rest.n:.0f} % (z {rises:.1f}); mechanics: all answers z {everything:.1f}, "
        f"what they influence z {influenced:.1f}"
    )


def the_unfair_scheduler(asking: Asking) -> None:
    """Those who get the hard jobs look worse by all answers, not by what they influence; the scheduler shows."""
    z = {}
    spared = [name for name in MECHANICS[UNFAIR_BRANCH] if name not in burdened()]
    for view in ("all", "influenced"):
        people = asking.people(view)
        groups = [
            sum((Counts.shown(people[name]) for name in names), Counts()) for names in (burdened(), spared)
        ]
        z[view] = nps_differs(*groups)
    schedulers = {
        branch: Counts.shown(asking.figure("employee", name, "influenced"))
        for branch, name in SCHEDULERS.items()
    }
    others = sum((counts for branch, counts in schedulers.items() if branch != UNFAIR_BRANCH), Counts())
    planning = nps_differs(schedulers[UNFAIR_BRANCH], others)
    asking.shows("the burdened look worse by all answers", -z["all"], SEEN)
    asking.does_not_fall("… not by what they influence", z["influenced"])
    asking.shows("the scheduler's own figure tells", -planning, CHANCE)
    asking.say(
        f"the unfair scheduler: mechanics with the hard jobs against their colleagues: all answers z {z['all']:.1f},"
        f" what they influence z {z['influenced']:.1f}; the scheduler against the other two z {planning:.1f}"
    )


def the_pay(asking: Asking) -> None:
    """Every mechanic is paid to the cent on the own work, and about what a year without the problems would pay."""
    paid = pay(asking)
    answers, unplanted = asking.year.answers, asking.unplanted.answers
    asking.checks.equal("every payout, to the cent", paid, payouts(answers, EVERYBODY, own=True))
    fair = payouts(unplanted, EVERYBODY, own=True)
    allowance = 0.1 * TARGET_BONUS / sqrt(asking.scale)
    for who, names in (("all mechanics", EVERYBODY), ("those with the hard jobs", burdened())):
        lost = mean(fair, names) - mean(paid, names)
        asking.checks.true(f"{who} lose {lost / 100:.2f} EUR on average", lost <= allowance)
    unfiltered = mean(payouts(unplanted, burdened(), own=False), burdened()) - mean(
        payouts(answers, burdened(), own=False), burdened()
    )
    asking.checks.true(
        f"on all answers they would lose {unfiltered / 100:.2f} EUR",
        unfiltered > mean(fair, burdened()) - mean(paid, burdened()),
    )
    asking.say(
        f"{len(paid)} mechanics paid to the cent; the problems cost those with the hard jobs "
        f"{(mean(fair, burdened()) - mean(paid, burdened())) / 100:.2f} EUR of {TARGET_BONUS / 100:.0f}; "
        f"on all answers it would have been {unfiltered / 100:.2f}"
    )


def mean(paid: dict[str, int], names: Iterable[str]) -> float:
    """In cents."""
    amounts = [paid[name] for name in names]
    return sum(amounts) / len(amounts)


def pay(asking: Asking) -> dict[str, int]:
    """Plan, publish, calculate, approve; name → payout in cents."""
    plan_id, period = asking.company.id("mechanics"), asking.company.id("year")
    plan = {
        "name": "Mechanics",
        "mode": "paid",
        "currency": "EUR",
        "scheme": "overachievement",
        "components": [
            {
                "id": "own",
                "kpi": "nps",
                "scope": "self",
                "view": "influenced",
                "weight": "1",
                "fallback": "own_unit",
                "curve": CURVE,
            }
        ],
        "gates": [{"kind": "employed"}],
        "reliability_mode": "none",
        "payees": [
            {"employee": asking.company.id(name), "target_bonus_minor": TARGET_BONUS} for name in EVERYBODY
        ],
        "notice_days": 0,
    }
    asking.api.put("bonus", f"/v1/plans/{plan_id}", plan)
    asking.api.post("bonus", f"/v1/plans/{plan_id}/publish", {"waivers": WAIVERS})
    asking.api.put("bonus", f"/v1/periods/{period}", {**asking.period, "plan": plan_id})
    run = asking.api.post("bonus", f"/v1/periods/{period}/calculate")
    finance = asking.api.somebody("--role", "finance", "--sub", "fin")
    finance.post("bonus", f"/v1/runs/{run['id']}/approve")
    return {
        name: asking.api.get("bonus", f"/v1/periods/{period}/statements/{asking.company.id(name)}")[
            "payout_minor"
        ]
        for name in EVERYBODY
    }


def those_who_did_not_answer(asking: Asking) -> None:
    """What all customers would have said is known here, and the estimate must come near it."""
    made = asking.api.post("kpi-aggregator", "/v1/predictions", {"kpi": "nps", "period": asking.period})
    if made["interactions"] != len(asking.year.jobs):
        asking.say("customers who did not answer: not estimated, others have jobs in this year too")
        return
    if made["status"] == "refused":
        asking.checks.true("predictions are refused only of a small year", asking.scale < LARGE)
        asking.say(f"customers who did not answer: {made['refused']}")
        return
    truth = nps(job.score for job in asking.year.jobs).value
    whole, skill = made["whole_base"], made["reliability"]["skill"]
    low, high = whole["ci95"]
    off = abs(whole["nps"] - truth) / ((high - low) / 2)
    asking.checks.true(f"the whole base's NPS is {truth}, within {low} to {high} ({off:.1f})", off <= 1.5)
    asking.say(
        f"all {made['interactions']} customers, answering or not: NPS {whole['nps']} ({low} to {high}), in truth "
        f"{truth}; those who answered: {whole['nps_of_answers']}; skill {skill:.3f}"
    )


def every_figure_again(asking: Asking) -> None:
    """The running figures are the fold of the kept facts."""
    report = asking.api.post("kpi-aggregator", "/v1/recompute")
    asking.checks.equal("every figure again from the kept facts", report["equal"], True)
    asking.say(
        f"{report['buckets']} running sums equal their recomputation from {report['responses']} answers"
    )


ALL: tuple[Callable[[Asking], None], ...] = (
    every_answer_counts,
    the_bad_supplier,
    the_unfair_scheduler,
    the_pay,
    those_who_did_not_answer,
    every_figure_again,
)
