"""What every service is told by its environment; a service adds its own by subclassing."""

from zoneinfo import ZoneInfo

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read from `FAIRLOOP_…` variables. No secret has a default."""

    model_config = SettingsConfigDict(env_prefix="FAIRLOOP_", frozen=True, extra="ignore")

    database_url: str  # postgresql://role:password@host:port/database
    log_url: str  # kafka://host:port[,host:port] or postgresql://… for the embedded log
    host: str = "127.0.0.1"
    port: int = 8000
    timezone: str = "UTC"  # the organisation's: decides which day a response counts on
    pseudonym_key: SecretStr  # customers' references become a keyed hash
    token_public_key: str  # PEM; verifies bearer tokens
    service_token: SecretStr = SecretStr("")  # what this service shows the others
    peer_urls: dict[str, str] = {}  # service name → base URL, as JSON
    database_pool: int = 12
    keep_parked_days: int = 90  # of parked events that were replayed or discarded; 0: for good
    keep_log_days: int = 0  # of the embedded log's records that every consumer has read; 0: for good
    drain_seconds: float = 0.0  # readiness is red this long before the listener closes

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
