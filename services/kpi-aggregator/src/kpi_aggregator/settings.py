"""What this service is told by its environment."""

from fairloop.settings import ServiceSettings


class KpiAggregatorSettings(ServiceSettings):
    """Nothing beside what every service is told; the time zone decides what "today" is."""
