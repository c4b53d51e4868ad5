"""What attribution is told by its environment."""

from fairloop.settings import ServiceSettings


class AttributionSettings(ServiceSettings):
    """Nothing beyond what every service has."""
