"""What each service is told by its environment."""

import json
from dataclasses import dataclass

from fairloop.auth import Role, mint_token
from fairloop.cli.installation import LOG_DATABASE, SERVICES, Installation, ServiceSpec
from fairloop.cli.vault import Vault
from fairloop.embedded import PostgresServer

YEAR = 365 * 86_400
"""Seconds. Tokens of the services and of `run.json` are made anew at every start."""


@dataclass(frozen=True, slots=True)
class Wiring:
    installation: Installation
    vault: Vault
    postgres: PostgresServer | None
    """None when every database and the log are real servers."""

    def database_url(self, service: ServiceSpec) -> str:
        given = self.installation.environment.get(service.database_variable)
        return given or self._embedded(service.package)

    @property
    def log_url(self) -> str:
        """The launcher's own, which creates topics."""
        return self.installation.log_url or self._embedded(LOG_DATABASE)

    def embedded_databases(self) -> dict[str, str]:
        """Role, also its database, → password, of those the embedded server has to hold."""
        given = self.installation.environment
        names = [service.package for service in SERVICES if not given.get(service.database_variable)]
        names += [] if self.installation.log_url else [LOG_DATABASE]
        return {name: self.vault.database_passwords[name] for name in names}

    def environment(self, service: ServiceSpec) -> dict[str, str]:
        """Everything in one service's environment: the launcher's own, without what concerns the others."""
        others = {variable for s in SERVICES for variable in (s.database_variable, s.log_variable)}
        inherited = {k: v for k, v in self.installation.environment.items() if k not in others}
        settings = {
            "FAIRLOOP_DATABASE_URL": self.database_url(service),
            "FAIRLOOP_LOG_URL": self.installation.environment.get(service.log_variable) or self.log_url,
            "FAIRLOOP_PORT": str(self.installation.port(service)),
            "FAIRLOOP_PSEUDONYM_KEY": self.vault.pseudonym_key,
            "FAIRLOOP_TOKEN_PUBLIC_KEY": self.vault.token_public_key,
            "FAIRLOOP_SERVICE_TOKEN": self.token(service.name, Role.SERVICE),
            "FAIRLOOP_PEER_URLS": json.dumps(self.installation.urls()),
            "PYTHONUNBUFFERED": "1",
        }
        if service.name == "survey-intake":  # the only one that holds personal data
            settings["FAIRLOOP_MASTER_KEY"] = self.vault.master_key
        return inherited | settings

    def token(self, subject: str, role: Role) -> str:
        return mint_token(self.vault.token_private_key, sub=subject, role_names=[role], valid_seconds=YEAR)

    def _embedded(self, name: str) -> str:
        if self.postgres is None:
            raise LookupError(f"no database for {name}")
        return self.postgres.url(name, role=name, password=self.vault.database_passwords[name])


def embedded_server(installation: Installation, vault: Vault) -> PostgresServer:
    return PostgresServer(
        installation.data / "postgres",
        password=vault.postgres_password,
        log=installation.log_file("postgres"),
        programs_home=installation.home,
    )


def wire(installation: Installation, vault: Vault) -> Wiring:
    return Wiring(
        installation, vault, embedded_server(installation, vault) if installation.needs_postgres else None
    )
