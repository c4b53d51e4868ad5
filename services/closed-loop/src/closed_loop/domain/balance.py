"""Promoters minus detractors, adjusted for few answers."""

Z95 = 1.96


def adjusted(n_eff: float, *, promoters: float, detractors: float) -> tuple[float, float]:
    """m′ = p′ − d′ and its variance SE′² = (p′ + d′ − m′²)/n′ (adjusted Wald; `promoters` and `detractors` are shares).

    n′ = n_eff + 3, p′ = (n_eff·p + ¾)/n′, d′ = (n_eff·d + ¾)/n′. Two scores differ by z = (m′₁ − m′₂)/√(SE′₁² + SE′₂²).
    """
    n = n_eff + 3
    p = (n_eff * promoters + 0.75) / n
    d = (n_eff * detractors + 0.75) / n
    m = p - d
    return m, (p + d - m * m) / n
