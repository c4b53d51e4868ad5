"""The attribution ledger: the seven vectors, forfeits, disputes and what always holds."""

from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.attribution.windscreen import answer, attribute, job, reasons, shares

from attribution.domain.decision import Upheld
from attribution.domain.ledger import Entry, Participant, share_out, system_share
from attribution.domain.shares import MILLION, Ratio, millionths
from attribution.domain.taxonomy import Leaf


def test_r1_two_who_fully_influence_the_cause_share_it_equally() -> None:
    assert shares(attribute(answer("quality"), job("m1", "m2"))) == {"m1": 500_000, "m2": 500_000}


def test_r2_what_nobody_could_influence_goes_to_the_owner_of_the_process() -> None:
    decision = attribute(answer("speed"), job("m1", "s1"))
    assert shares(decision) == {"m1": 500_000, "s1": 250_000, "planning": 250_000}
    assert system_share((e.subject_type, e.share) for e in decision.entries) == 250_000
    assert reasons(decision, "planning") == {"not_influenceable"}


def test_r3_the_wrong_window_is_the_supply_departments_half() -> None:
    decision = attribute(answer("quality", "right_window"), job("m1"))
    assert shares(decision) == {"m1": 500_000, "supply": 500_000}
    assert reasons(decision, "m1") == {"influenced", "not_influenceable"}


def test_r4_without_a_cause_the_organisation_has_it_all() -> None:
    decision = attribute(answer(), job("m1"))
    assert shares(decision) == {"all": MILLION}
    assert reasons(decision, "m1") == {"no_cause_given"}


def test_r5_what_an_unverified_participant_would_have_had_is_the_organisations() -> None:
    decision = attribute(answer("quality"), job("m1", "m2", unverified=["m2"]))
    assert shares(decision) == {"m1": 500_000, "all": 500_000}
    assert reasons(decision, "m2") == {"unverified"}


def test_r6_one_mechanic_alone_has_the_whole_answer() -> None:
    assert shares(attribute(answer("quality"), job("m1"))) == {"m1": MILLION}


def test_r7_an_unmatched_answer_is_the_organisations() -> None:
    decision = attribute(answer("quality", looks_for=None), None)
    assert decision.status == "unmatched"
    assert shares(decision) == {"all": MILLION}


def test_three_equal_shares_sum_to_exactly_one() -> None:
    decision = attribute(answer("quality"), job("m1", "m2", "m3"))
    assert shares(decision) == {"m1": 333_334, "m2": 333_333, "m3": 333_333}


def test_a_forfeited_third_raises_nobody_not_even_by_a_millionth() -> None:
    decision = attribute(answer("quality"), job("m1", "m2", "m3", unverified=["m1"]))
    assert shares(decision) == {"all": 333_334, "m2": 333_333, "m3": 333_333}


def test_not_my_cause_moves_the_share_to_the_organisation() -> None:
    upheld = Upheld(not_my_cause=frozenset({"m1"}))
    decision = attribute(answer("quality"), job("m1", "m2"), upheld=upheld)
    assert shares(decision) == {"m2": 500_000, "all": 500_000}
    assert reasons(decision, "m1") == {"excluded_by_dispute"}
    assert not any(p.excluded for p in decision.participants)


def test_not_my_customer_computes_the_ledger_without_the_person() -> None:
    upheld = Upheld(not_my_customer=frozenset({"m1"}))
    decision = attribute(answer("quality"), job("m1", "m2"), upheld=upheld)
    assert shares(decision) == {"m2": MILLION}
    assert reasons(decision, "m1") == {"excluded_by_dispute"}
    assert [p.employee for p in decision.participants if p.excluded] == ["m1"]


def test_not_my_customer_of_the_only_participant_leaves_it_to_the_organisation() -> None:
    upheld = Upheld(not_my_customer=frozenset({"m1"}))
    assert shares(attribute(answer("quality"), job("m1"), upheld=upheld)) == {"all": MILLION}


def test_in_two_roles_the_larger_influence_counts_once() -> None:
    people = [Participant("m1", "scheduler", "planning"), Participant("m1", "mechanic", "north")]
    influence = {"mechanic": 500_000, "scheduler": 250_000}
    entries = share_out(people, [Leaf("speed", "x")], influence=lambda role, _: influence[role], evidence="j")
    assert [(e.subject_id, e.share, e.role, e.org_unit) for e in entries] == [
        ("m1", 500_000, "mechanic", "north"),
        ("x", 500_000, None, None),
    ]


def test_every_entry_names_its_evidence() -> None:
    decision = attribute(answer("quality", "speed"), job("m1", "s1"))
    assert {entry.evidence for entry in decision.entries} == {"job-1"}


PEOPLE = st.lists(
    st.builds(
        Participant,
        employee=st.sampled_from(["e1", "e2", "e3", "e4"]),
        role=st.sampled_from(["r1", "r2"]),
        verified=st.booleans(),
        excluded=st.booleans(),
        cause_disputed=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda p: (p.employee, p.role),
)
LEAVES = st.lists(
    st.builds(
        Leaf, id=st.sampled_from(["c1", "c2", "c3", "c4"]), process_owner=st.sampled_from([None, "u1", "u2"])
    ),
    max_size=4,
    unique_by=lambda leaf: leaf.id,
)
INFLUENCE = st.dictionaries(
    st.tuples(st.sampled_from(["r1", "r2"]), st.sampled_from(["c1", "c2", "c3", "c4"])),
    st.integers(0, MILLION),
)
Cells = dict[tuple[str, str], int]


def _ledger(people: list[Participant], leaves: list[Leaf], cells: Cells) -> dict[tuple[str, str], int]:
    """Millionths per (subject, cause)."""
    total: dict[tuple[str, str], int] = {}
    for entry in _entries(people, leaves, cells):
        key = (entry.subject_id, entry.cause or "")
        total[key] = total.get(key, 0) + entry.share
    return total


def _entries(people: list[Participant], leaves: list[Leaf], cells: Cells) -> tuple[Entry, ...]:
    return share_out(people, leaves, influence=lambda role, cause: cells.get((role, cause), 0), evidence="j")


@given(PEOPLE, LEAVES, INFLUENCE)
def test_whatever_comes_in_the_shares_sum_to_exactly_one(
    people: list[Participant], leaves: list[Leaf], cells: Cells
) -> None:
    entries = _entries(people, leaves, cells)
    assert sum(entry.share for entry in entries) == MILLION
    assert all(entry.share >= 0 for entry in entries)


@given(PEOPLE, LEAVES, INFLUENCE, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(
    people: list[Participant], leaves: list[Leaf], cells: Cells, random: Random
) -> None:
    shuffled, leaves_shuffled = list(people), list(leaves)
    random.shuffle(shuffled)
    random.shuffle(leaves_shuffled)
    assert _entries(shuffled, leaves_shuffled, cells) == _entries(people, leaves, cells)


@given(PEOPLE, LEAVES, INFLUENCE, st.sampled_from(["verified", "cause_disputed"]))
def test_what_one_person_forfeits_changes_nobody_elses_share(
    people: list[Participant], leaves: list[Leaf], cells: Cells, how: str
) -> None:
    if not people:
        return
    one = people[0].employee
    lost = [replace(p, **{how: how != "verified"}) if p.employee == one else p for p in people]
    before, after = _ledger(people, leaves, cells), _ledger(lost, leaves, cells)
    for key in before.keys() | after.keys():
        if key[0] not in {one, "all"}:
            assert after.get(key, 0) == before.get(key, 0)
    assert sum(share for (who, _), share in after.items() if who == one) == 0


@given(PEOPLE, LEAVES, INFLUENCE)
def test_every_participant_keeps_an_entry(
    people: list[Participant], leaves: list[Leaf], cells: Cells
) -> None:
    named = {e.subject_id for e in _entries(people, leaves, cells) if e.subject_type == "employee"}
    assert named == {p.employee for p in people}


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any))
def test_rounding_is_never_off_by_more_than_one_millionth(parts: list[int]) -> None:
    exact = {("employee", f"e{n}", ""): Ratio(part, sum(parts)) for n, part in enumerate(parts)}
    rounded = millionths(exact)
    assert sum(rounded.values()) == MILLION
    assert all(abs(rounded[key] - Fraction(*exact[key]) * MILLION) < 1 for key in exact)


@given(PEOPLE, LEAVES, INFLUENCE)
def test_the_integers_are_the_formula(people: list[Participant], leaves: list[Leaf], cells: Cells) -> None:
    """Every kept share is ω·a / max(1, A) of the printed formula, to the millionth."""
    people = [replace(p, verified=True, excluded=False, cause_disputed=False) for p in people]
    present = {p.employee for p in people}
    found = _ledger(people, leaves, cells)
    for leaf in leaves:
        a = {
            who: max(Fraction(cells.get((p.role, leaf.id), 0), MILLION) for p in people if p.employee == who)
            for who in present
        }
        together = sum(a.values(), Fraction(0))
        for who, influence in a.items():
            expected = influence / len(leaves) / max(Fraction(1), together) * MILLION
            assert abs(found[who, leaf.id] - expected) < 1
