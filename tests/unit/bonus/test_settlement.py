import hashlib
import random
from fractions import Fraction

import msgspec
import pytest

from bonus.domain.money import quotient_half_even, round_half_even
from bonus.domain.plan import ReliabilityMode, Scheme
from bonus.domain.settlement import settle
from bonus.domain.snapshot import Figures
from bonus.domain.statement import retraced

from .builders import explained
from .portfolio import portfolio

DIGESTS: dict[tuple[Scheme, str], str] = {
    ("individual", "none"): "a976de781fba7038",
    ("individual", "A"): "0305828633feafc0",
    ("team", "none"): "9af2b0739b5025cc",
    ("team", "A"): "ddc592c5a2a8fb73",
    ("everyone", "none"): "b09b8bcac01e0383",
    ("everyone", "A"): "31848538ad31e4b5",
    ("overachievement", "none"): "089b177588493b19",
    ("overachievement", "A"): "53da48db2612f892",
    ("pool", "none"): "77411910af84e545",
    ("pool", "A"): "5ee2f76b776adbef",
}
"""Of the statements of `bonus-rules-1`, which never change by a byte: these were written by its first release."""

_encode = msgspec.json.Encoder(decimal_format="number", order="deterministic").encode


@pytest.mark.parametrize(("scheme", "mode"), DIGESTS)
def test_statements_are_those_of_the_first_release_byte_for_byte(
    scheme: Scheme, mode: ReliabilityMode
) -> None:
    statements = explained(*portfolio(random.Random(f"{scheme}{mode}"), scheme, mode))
    text = b"\n".join(map(_encode, statements))
    assert hashlib.sha256(text).hexdigest()[:16] == DIGESTS[scheme, mode]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("scheme", "mode"), [key for key in DIGESTS if key[0] != "pool"])
def test_everybody_at_once_gets_what_each_gets_alone(
    scheme: Scheme, mode: ReliabilityMode, seed: int
) -> None:
    rules, where, snapshots = portfolio(random.Random(seed), scheme, mode, responses=0)
    figures = Figures.of(snapshots["nps"].figures)
    settled, _ = settle(rules, where, figures)
    for payee, one in zip(rules.payees, settled, strict=True):
        alone = retraced(rules, payee, one.payout, standing=where, figures=figures)
        assert one.payout == round_half_even(alone.earnings.amount)
        assert one.held == (one.payout if alone.who.held else 0)


@pytest.mark.parametrize("over", range(-7, 8))
@pytest.mark.parametrize("under", [1, 2, 3, 4])
def test_a_quotient_is_rounded_like_the_fraction(over: int, under: int) -> None:
    assert quotient_half_even(over, under) == round_half_even(Fraction(over, under))
