"""Where a payout comes from: each idea of the plan with its exact Shapley value."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import factorial


def shapley(players: Sequence[str], worth: Callable[[frozenset[str]], Fraction]) -> dict[str, Fraction]:
    """The mean contribution of each player over every order of joining.

    `worth(S)` is the outcome with exactly the players S in force, asked once for each of the 2ⁿ sets. The values sum to
    worth(all) − worth(none).
    """
    n = len(players)
    known = {
        frozenset(group): worth(frozenset(group))
        for size in range(n + 1)
        for group in combinations(players, size)
    }
    values = dict.fromkeys(players, Fraction(0))
    for group, outcome in known.items():
        size = len(group)
        for player in players:
            if player not in group:
                share = Fraction(factorial(size) * factorial(n - size - 1), factorial(n))
                values[player] += share * (known[group | {player}] - outcome)
    return values
