"""The secrets of an installation in containers: a folder with one file a secret, mounted where it is needed.

What a container reads is open to all who can reach it, because containers run as users the host does not know; the
folder is closed to everybody but its owner, so on the host nobody can. What only the operator needs is closed itself.
"""

import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import msgspec

from fairloop.auth import Role, mint_token
from fairloop.cli.installation import SERVICES
from fairloop.cli.vault import Vault

MOUNTED = 0o644
PRIVATE = 0o600
PRIVATE_KEY = "token_private_key"
DATABASE_HOST = "postgres:5432"
"""Where compose.yaml has the database."""
YEAR = 365 * 86_400
TOKEN_SECONDS = 10 * YEAR
"""Of the services' tokens: they are worth what the files beside them are worth, and are renewed with them."""


@dataclass
class SecretFiles:
    """The folder; `made` names the files that were not there before."""

    folder: Path
    made: list[str] = field(default_factory=list)

    def keep(self, name: str, content: str, mode: int = MOUNTED) -> str:
        """What the file has; where there is none it is made with this content. Raises OSError for an empty one."""
        path = self.folder / name
        if self._make(path, content.strip() + "\n", mode):
            self.made.append(name)
        held = path.read_text().strip()
        if not held:
            raise OSError(f"{path} is empty: put the secret in, or delete the file")
        return held

    def _make(self, path: Path, content: str, mode: int) -> bool:
        """In one step, so that nobody reads half a secret; False when there is such a file already."""
        if path.exists():
            return False
        descriptor, draft = tempfile.mkstemp(dir=self.folder, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w") as file:
                os.fchmod(descriptor, mode)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.link(draft, path)
        finally:
            os.unlink(draft)
        return True


def make_secrets(folder: Path) -> list[str]:
    """Fill a folder with every secret that compose.yaml mounts; returns the names of the files it made.

    A file that is there is never written to, and what depends on it follows it: whoever has a password, a key or a
    database elsewhere puts the file there first. To renew a secret, delete its file and those that follow from it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    files = SecretFiles(folder)
    fresh = Vault.fresh()
    private_key = files.keep(PRIVATE_KEY, fresh.token_private_key, PRIVATE)
    vault = msgspec.structs.replace(fresh, token_private_key=private_key)
    files.keep("token_public_key", vault.token_public_key)
    files.keep("pseudonym_key", vault.pseudonym_key)
    files.keep("master_key", vault.master_key)
    files.keep("postgres_password", vault.postgres_password)
    files.keep("grafana_password", secrets.token_urlsafe(32))
    for service in SERVICES:
        name = service.package
        password = files.keep(f"{name}_password", vault.database_passwords[name])
        files.keep(
            f"{name}_database_url", f"postgresql://{name}:{quote(password, safe='')}@{DATABASE_HOST}/{name}"
        )
        files.keep(f"{name}_service_token", _token(private_key, service.name, Role.SERVICE, TOKEN_SECONDS))
    files.keep("admin_token", _token(private_key, "operator", Role.ADMIN, YEAR), PRIVATE)
    return files.made


def read_private_key(folder: Path) -> str:
    """The key that signs this folder's tokens, PEM. Raises OSError."""
    return (folder / PRIVATE_KEY).read_text()


def _token(private_key: str, subject: str, role: Role, seconds: int) -> str:
    return mint_token(private_key, sub=subject, role_names=[role], valid_seconds=seconds)
