"""One figure as it is shown: value, interval, reliability, or nothing at all where the group is too small."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import msgspec
from msgspec.structs import replace

from kpi_aggregator.domain.contribution import WHOLE
from kpi_aggregator.domain.intervals import adjusted_wald, mean_t, wilson
from kpi_aggregator.domain.kpi import SCALES, Scale
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.reliability import ENOUGH_PEERS, Prior, shrink
from kpi_aggregator.domain.sums import Sums

_INTERVALS = {"nps": "adjusted Wald", "csat": "Wilson", "ces": "Student's t"}


class Window(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """The days counted; `to` is exclusive."""

    start: date
    end: date


class ShownPrior(msgspec.Struct, frozen=True):
    """What the score was shrunk towards, in the KPI's points; `source` is "published" or "peers"."""

    mean: float
    sd_between: float
    sd_within: float
    source: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The answer about one scope. Weights are decimal strings; everything measured is None when suppressed."""

    kpi: str
    scope_type: str
    scope_id: str
    view: str
    window: Window
    n: int | None = None
    weight: str | None = None
    n_eff: float | None = None
    promoters: int | None = None
    passives: int | None = None
    detractors: int | None = None
    promoters_weight: str | None = None
    passives_weight: str | None = None
    detractors_weight: str | None = None
    value: float | None = None
    ci95: tuple[float, float] | None = None
    reliability: float | None = None
    shrunk: float | None = None
    prior: ShownPrior | None = None
    adjusted: float | None = None
    suppressed: bool
    reason: str
    position: None = None


def weight_text(millionths: int) -> str:
    """A share or weight as a decimal string with six places."""
    whole, rest = divmod(millionths, WHOLE)
    return f"{whole}.{rest:06d}"


def figure(kpi: str, scope: Scope, days: Days, sums: Sums, *, prior: Prior, min_n: int) -> Figure:
    """The figure of these sums; suppressed when fewer than `min_n` responses, without a value when none."""
    hidden = Figure(
        kpi=kpi,
        scope_type=scope.scope_type,
        scope_id=scope.scope_id,
        view=scope.view,
        window=Window(days.start, days.end),
        suppressed=True,
        reason=f"suppressed: fewer than {min_n} responses",
    )
    if sums.n < min_n:
        return hidden
    shown = replace(
        hidden,
        n=sums.n,
        weight=weight_text(sums.w),
        n_eff=round(sums.n_eff, 4),
        promoters=sums.promoters,
        passives=sums.passives,
        detractors=sums.detractors,
        promoters_weight=weight_text(sums.w_promoters),
        passives_weight=weight_text(sums.w - sums.w_promoters - sums.w_detractors),
        detractors_weight=weight_text(sums.w_detractors),
        suppressed=False,
        reason="no responses",
    )
    return shown if sums.n == 0 else _scored(shown, SCALES[kpi], sums, prior)


def suppressed_beside(shown: Figure) -> Figure:
    """The same with nothing measured, because it would tell a small group beside it; one already hidden stays so."""
    if shown.suppressed:
        return shown
    return Figure(
        kpi=shown.kpi,
        scope_type=shown.scope_type,
        scope_id=shown.scope_id,
        view=shown.view,
        window=shown.window,
        suppressed=True,
        reason="suppressed: would reveal a small group beside it",
    )


def _scored(shown: Figure, scale: Scale, sums: Sums, prior: Prior) -> Figure:
    shrunk = shrink(scale.factor * sums.mean, sums.n_eff, prior)
    return replace(
        shown,
        value=shown_value(scale, sums),
        ci95=shown_interval(scale, sums),
        reliability=round(shrunk.reliability, 6),
        shrunk=round(shrunk.score, 6),
        prior=ShownPrior(
            round(prior.mean, 6), round(prior.sd_between, 6), round(prior.sd_within, 6), prior.source
        ),
        reason=_made_how(scale, sums, prior),
    )


def shown_value(scale: Scale, sums: Sums) -> float:
    """factor · Σwx / Σw, computed exactly and rounded half-even to the scale's decimals."""
    with localcontext(prec=50):
        exact = Decimal(scale.factor * sums.wx) / Decimal(sums.w)
        shown = exact.quantize(Decimal(1).scaleb(-scale.decimals), rounding=ROUND_HALF_EVEN)
    return float(shown) + 0.0  # no minus zero


def shown_interval(scale: Scale, sums: Sums) -> tuple[float, float] | None:
    """The 95 % interval in the KPI's points; None where one answer cannot give any."""
    n = sums.n_eff
    if scale.x == "balance":
        interval = adjusted_wald(n * sums.w_promoters / sums.w, n * sums.w_detractors / sums.w, n)
    elif scale.x == "top":
        interval = wilson(sums.mean, n)
    elif n > 1:
        interval = mean_t(sums.mean, sums.variance, n)
    else:
        return None
    low = round(max(scale.least, scale.factor * interval[0]), scale.decimals)
    high = round(min(scale.most, scale.factor * interval[1]), scale.decimals)
    return low + 0.0, high + 0.0


def _made_how(scale: Scale, sums: Sums, prior: Prior) -> str:
    peers = (
        f"a prior estimated from {prior.peers} peers"
        if prior.source == "peers"
        else f"the published prior ({prior.peers} peers, {ENOUGH_PEERS} needed to estimate one)"
    )
    return (
        f"{sums.n} responses; {_INTERVALS[scale.kpi]} interval on n_eff; "
        f"shrunk towards {peers}; no case-mix adjustment"
    )
