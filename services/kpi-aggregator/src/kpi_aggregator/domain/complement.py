"""Parts beside a whole that is shown: hiding the small ones is not enough where a subtraction tells them."""

from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K", str, int)


def hidden_parts(parts: Mapping[K, int], *, min_n: int) -> frozenset[K]:
    """The parts (name → responses) that must not be shown: every small one, and then the smallest others.

    As many of those as it takes until what is hidden together is no small group either. Empty parts tell nothing,
    and hide nothing.
    """
    hidden = {name for name, n in parts.items() if 0 < n < min_n}
    total = sum(parts[name] for name in hidden)
    for name in sorted(parts.keys() - hidden, key=lambda name: (parts[name], name)):
        if not 0 < total < min_n:
            break
        if parts[name] > 0:
            hidden.add(name)
            total += parts[name]
    return frozenset(hidden)
