"""What an organisation may set per KPI."""

from dataclasses import dataclass

from kpi_aggregator.domain.reliability import Prior


@dataclass(frozen=True, slots=True)
class KpiSettings:
    """The published prior, used with too few peers, and the fewest responses a figure is shown for."""

    prior: Prior
    min_n: int = 5


DEFAULTS: dict[str, KpiSettings] = {
    "nps": KpiSettings(Prior(mean=40, sd_between=15, sd_within=80)),
    "csat": KpiSettings(Prior(mean=80, sd_between=8, sd_within=40)),
    "ces": KpiSettings(Prior(mean=5.5, sd_between=0.4, sd_within=1.3)),
}
