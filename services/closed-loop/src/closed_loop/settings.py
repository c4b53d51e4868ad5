"""What closed-loop is told by its environment, beside what every service is told."""

from fairloop.settings import ServiceSettings


class ClosedLoopSettings(ServiceSettings):
    """`timezone` decides on which local date a case was opened, hence which assignments count."""

    keep_notification_days: int = 400  # of closed cases, and what is about no case; 0: for good
