"""What every service is told by its environment; a service adds its own by subclassing."""

import os
from typing import Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography.exceptions import UnsupportedAlgorithm
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from fairloop.auth import read_public_key

PREFIX = "FAIRLOOP_"
SECRETS_VARIABLE = f"{PREFIX}SECRETS_DIR"


class ServiceSettings(BaseSettings):
    """Read from `FAIRLOOP_…` variables, else from files of the folder that FAIRLOOP_SECRETS_DIR names.

    A file bears the variable's name in lower case (`fairloop_database_url`). An empty variable is an absent one.
    No secret has a default.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

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

    @field_validator("token_public_key")
    @classmethod
    def _verifies(cls, value: str) -> str:
        if value:
            try:
                read_public_key(value)
            except (ValueError, UnsupportedAlgorithm) as error:
                raise ValueError("must be an Ed25519 public key in PEM") from error
        return value

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise ValueError("must be a time zone such as Europe/Amsterdam") from error
        return value

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


S = TypeVar("S", bound=ServiceSettings)


def read_settings(kind: type[S]) -> S:
    """As the environment says. Raises SettingsError with a line for each variable that is wrong; values are not told,
    because some are secret."""
    try:
        return kind()
    except ValidationError as error:
        lines = []
        for one in error.errors(include_url=False, include_input=False):
            name = PREFIX + "_".join(map(str, one["loc"])).upper() if one["loc"] else "settings"
            lines.append(f"{name}: {one['msg'].removeprefix('Value error, ')}")
        raise SettingsError("\n".join(lines)) from None
