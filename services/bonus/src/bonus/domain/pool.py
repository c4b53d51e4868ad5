"""Sharing one fixed amount: to the cent, capped, and what cannot be paid is shown."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor


@dataclass(frozen=True, slots=True)
class Shared:
    """Whole minor units per payee; `paid` and `unspent` sum to the pool."""

    paid: dict[str, int]
    unspent: int


def share_pool(pool: int, claims: Mapping[str, Fraction], *, caps: Mapping[str, int], period: str) -> Shared:
    """Share `pool` in proportion to `claims` (≥ 0), nobody above their cap.

    Floor, then the units left over by largest remainder, equal remainders in the order of a keyed hash of period
    and payee: nobody can choose a name that wins. A capped payee's surplus is shared among the others.
    """
    paid = dict.fromkeys(claims, 0)
    open_claims = {payee: claim for payee, claim in claims.items() if claim > 0}
    left = pool
    while open_claims:
        total = sum(open_claims.values(), Fraction(0))
        quotas = {payee: left * claim / total for payee, claim in open_claims.items()}
        over = {payee for payee, quota in quotas.items() if payee in caps and quota > caps[payee]}
        if not over:
            paid |= _whole(left, quotas, period)
            left = 0
            break
        for payee in over:
            paid[payee] = caps[payee]
            left -= caps[payee]
            del open_claims[payee]
    return Shared(paid, left)


def _whole(amount: int, quotas: Mapping[str, Fraction], period: str) -> dict[str, int]:
    """`quotas` sum to `amount`. A quota of a whole number has no remainder, so no cap is passed by rounding up."""
    whole = {payee: floor(quota) for payee, quota in quotas.items()}
    short = amount - sum(whole.values())
    neediest = sorted(quotas, key=lambda payee: (whole[payee] - quotas[payee], _lot(period, payee)))
    for payee in neediest[:short]:
        whole[payee] += 1
    return whole


def _lot(period: str, payee: str) -> bytes:
    return hmac.digest(period.encode(), payee.encode(), hashlib.sha256)
