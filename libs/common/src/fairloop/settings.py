"""What every service is told by its environment; a service adds its own by subclassing."""

import os
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

SECRETS_VARIABLE = "FAIRLOOP_SECRETS_DIR"


class ServiceSettings(BaseSettings):
    """Read from `FAIRLOOP_…` variables, else from files of the folder that FAIRLOOP_SECRETS_DIR names.

    A file bears the variable's name in lower case (`fairloop_database_url`). An empty variable is an absent one.
    No secret has a default.
    """

    model_config = SettingsConfigDict(
        env_prefix="FAIRLOOP_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    database_url: str  # postgresql://role:password@host:port/database[?sslmode=verify-full&sslrootcert=FILE]
    log_url: str  # kafka://[user:password@]host:port[,host:port][?…], or postgresql://… for the embedded log
    host: str = "127.0.0.1"
    port: int = 8000
    timezone: str = "UTC"  # the organisation's: decides which day a response counts on
    pseudonym_key: SecretStr  # customers' references become a keyed hash
    token_public_key: str = ""  # PEM; verifies our own tokens: the services', and those of `fairloop token`
    oidc_issuer: str = ""  # https://…, exactly as tokens name it in `iss`; its tokens count too
    oidc_audience: str = "fairloop"  # what its tokens have to name in `aud`
    oidc_leeway_seconds: float = Field(default=30, ge=0, le=300)  # by which its clock may differ from ours
    oidc_ca_file: str = ""  # PEM; the authority of the issuer's certificate, when it is not a public one
    service_token: SecretStr = SecretStr("")  # what this service shows the others
    peer_urls: dict[str, str] = {}  # service name → base URL, as JSON
    database_pool: int = 12
    keep_parked_days: int = 90  # of parked events that were replayed or discarded; 0: for good
    keep_log_days: int = 0  # of the embedded log's records that every consumer has read; 0: for good
    drain_seconds: float = Field(
        0.0, ge=0, le=8
    )  # after SIGTERM requests are taken so long, readiness is red
    otlp_url: str = ""  # http://collector:4318; empty: nothing is traced

    @model_validator(mode="after")
    def _somebody_signs(self) -> Self:
        if not (self.token_public_key or self.oidc_issuer):
            raise ValueError("token_public_key or oidc_issuer must say whose tokens count")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Raises SettingsError when the folder of the secrets is not there: pydantic would only warn."""
        folder = os.environ.get(SECRETS_VARIABLE)
        if not folder:
            return init_settings, env_settings
        if not os.path.isdir(folder):
            raise SettingsError(f"{SECRETS_VARIABLE} is {folder}, and there is no such folder")
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=folder)
