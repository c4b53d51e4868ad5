"""What this service is told by its environment."""

from fairloop.settings import ServiceSettings


class BonusSettings(ServiceSettings):
    """Nothing beside what every service is told; the time zone decides which period is the current one."""
