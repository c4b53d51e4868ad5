"""The operating-system user that PostgreSQL runs as. It refuses root, so root lends it to another user."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fairloop.embedded.errors import EmbeddedError

DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int
    borrowed: bool
    """True when we are root and the programs run as this other user."""


def account_for(folder: Path) -> Account:
    """Who runs PostgreSQL over this data folder: ourselves, or for root the folder's owner, at first `nobody`."""
    owner = folder.stat().st_uid if folder.exists() else None
    us = os.geteuid()
    if us != 0:
        if owner not in {None, us}:
            raise EmbeddedError(
                f"{folder} belongs to the user with id {owner}, you are {us}: "
                "run as that user (or as root, if root made it), or choose another FAIRLOOP_HOME"
            )
        return Account(us, os.getegid(), borrowed=False)
    nobody = pwd.getpwnam("nobody")
    if owner in {None, 0, nobody.pw_uid}:
        return Account(nobody.pw_uid, nobody.pw_gid, borrowed=True)
    entry = pwd.getpwuid(owner)
    return Account(entry.pw_uid, entry.pw_gid, borrowed=True)


@contextmanager
def reachable(folder: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path to the folder that works for the account, and the descriptors its programs must inherit for that.

    The folders above may be closed to other users (a home folder of mode 0700). Their modes are not ours to
    change, so root opens the folder and hands the descriptor on: `/proc/self/fd/N` leads straight to it.
    """
    if not account.borrowed or not DESCRIPTORS.exists():
        yield str(folder), ()
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield str(DESCRIPTORS / str(descriptor)), (descriptor,)
    finally:
        os.close(descriptor)
