"""What a statement is made of, frozen with its run, and the statement made of it when somebody reads it.

Explaining a payout costs a hundred times what computing it does, and most statements are read once or never. So a run
keeps the facts of each payee, and the same facts make the same statement, byte for byte, whenever it is asked for.
"""

import msgspec

from bonus.domain.evidence import evidence
from bonus.domain.plan import Payee, Plan
from bonus.domain.snapshot import Contribution, Figure, Figures, Invited
from bonus.domain.standing import Standing
from bonus.domain.statement import Statement, retraced, state

RULE_VERSION = "bonus-rules-1"  # raise it with every change that can move an amount or a byte of a statement

_contribution = msgspec.json.Decoder(Contribution).decode


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What all statements of a run share. `plan` is without its payees, `figures` are those of units and above."""

    plan: Plan
    figures: tuple[Figure, ...]
    inputs_hash: str


class Facts(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """One payee's own: standing, scores, and by KPI the contributions as they were handed over."""

    payee: Payee
    standing: Standing
    figures: tuple[Figure, ...]
    responses: dict[str, tuple[msgspec.Raw, ...]]
    invited: Invited | None = None


class Explainer:
    """Makes the statements of one run."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._shared = Figures.of(terms.figures)

    def statement(self, facts: Facts, payout: int) -> Statement:
        """The statement of a payout in minor units. Raises ValueError when it is not what these facts pay."""
        terms, employee = self._terms, facts.payee.employee
        plan = terms.plan.only(facts.payee)
        invited = {} if facts.invited is None else {employee: facts.invited}
        figures = self._shared.with_more(facts.figures, invited)
        responses = {
            (kpi, employee): [_contribution(one) for one in held] for kpi, held in facts.responses.items()
        }
        return state(
            plan,
            retraced(plan, facts.payee, payout, standing=facts.standing, figures=figures),
            figures,
            evidence=evidence(plan, employee, responses),
            responses=responses,
            inputs_hash=terms.inputs_hash,
            rule_version=RULE_VERSION,
        )
