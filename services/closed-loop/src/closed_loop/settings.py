"""What this service is told by its environment: nothing beyond what every service is."""

from fairloop.settings import ServiceSettings


class ClosedLoopSettings(ServiceSettings):
    """`timezone` decides on which local date a case was opened, hence which assignments count."""
