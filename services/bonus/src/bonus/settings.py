"""What this service is told by its environment."""

from fairloop.settings import ServiceSettings


class BonusSettings(ServiceSettings):
    """The time zone decides which period is the current one."""

    strict_publishing: bool = False  # warnings about a plan, too, are waived by name before it is published
