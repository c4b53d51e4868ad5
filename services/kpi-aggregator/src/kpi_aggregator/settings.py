"""What this service is told by its environment."""

from fairloop.settings import ServiceSettings


class KpiAggregatorSettings(ServiceSettings):
    """The time zone decides what "today" is."""

    shift_seconds: float = 5.0  # between two looks for figures that moved
    keep_prediction_days: int = 90  # of single interactions; the runs themselves stay; 0: for good
