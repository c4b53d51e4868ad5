"""What one response is attributed to, given what is known: the same facts always give the same decision."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from attribution.domain.assignments import unit_on
from attribution.domain.interactions import TookPart
from attribution.domain.ledger import Entry, Participant, share_out, whole_to_organisation
from attribution.domain.matrix import in_force, no_influence
from attribution.domain.rules import Rules
from attribution.domain.taxonomy import ChosenCause, chosen_leaves

Status = Literal["pending", "matched", "unmatched", "relationship", "erased"]


@dataclass(frozen=True, slots=True)
class Response:
    """What a decision may see of a response; scores are left out on purpose.

    `looks_for` is the interaction it belongs to: the one it names, or the one a person decided on.
    `link_vouches`: it came by a signed link that names this very interaction.
    """

    survey_type: Literal["transactional", "relationship"]
    retracted: bool = False
    customer: str | None = None
    looks_for: str | None = None
    link_vouches: bool = False
    taxonomy: str | None = None
    causes: tuple[ChosenCause, ...] = ()


@dataclass(frozen=True, slots=True)
class Interaction:
    """A job, call or visit; `day` is its local date."""

    id: str
    day: date
    customer: str
    participants: tuple[TookPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Upheld:
    """The employees with an upheld dispute about this response."""

    not_my_customer: frozenset[str] = frozenset()
    not_my_cause: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """Status and ledger. An erased response has no entries; everybody else's sum to 1,000,000."""

    status: Status
    verified: bool = False
    matrix_version: date | None = None
    participants: tuple[Participant, ...] = ()
    entries: tuple[Entry, ...] = ()


def decide(response: Response, interaction: Interaction | None, *, rules: Rules, upheld: Upheld) -> Decision:
    """Attribute one response. `interaction` is the one it looks for, None while that is not known."""
    if response.retracted:
        return Decision("erased")
    if response.survey_type == "relationship":
        return Decision("relationship", entries=(whole_to_organisation("not_a_participant"),))
    if interaction is None:
        status: Status = "unmatched" if response.looks_for is None else "pending"
        return Decision(status, entries=(whole_to_organisation("not_a_participant"),))
    verified = response.link_vouches or response.customer == interaction.customer
    participants = _participants(interaction, verified=verified, rules=rules, upheld=upheld)
    taxonomy = rules.taxonomy_for(response.taxonomy)
    matrix = in_force(rules.matrices, taxonomy, interaction.day) if taxonomy else None
    leaves = chosen_leaves(rules.leaves.get(taxonomy, {}), response.causes) if taxonomy else ()
    return Decision(
        "matched",
        verified=verified,
        matrix_version=matrix.valid_from if matrix else None,
        participants=participants,
        entries=share_out(
            participants, leaves, influence=matrix.of if matrix else no_influence, evidence=interaction.id
        ),
    )


def _participants(
    interaction: Interaction, *, verified: bool, rules: Rules, upheld: Upheld
) -> tuple[Participant, ...]:
    return tuple(
        Participant(
            one.employee,
            one.role,
            org_unit=unit_on(rules.assignments.get(one.employee, ()), one.role, interaction.day),
            verified=verified and one.verified,
            excluded=one.employee in upheld.not_my_customer,
            cause_disputed=one.employee in upheld.not_my_cause,
        )
        for one in sorted(interaction.participants, key=lambda p: (p.employee, p.role))
    )
