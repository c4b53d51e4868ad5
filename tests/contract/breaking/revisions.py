"""The JSON documents of some folders, here and at another revision."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]

Documents = Mapping[str, Mapping[str, Any]]
"""Folder → name without `.json` → content."""


class UnknownRevisionError(Exception):
    """There is nothing to compare with."""


def _git(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True, check=False)


def parted(base: str, checkout: Path) -> str:
    """The commit where HEAD and `base` part. Raises UnknownRevisionError when there is none here."""
    found = _git(checkout, "merge-base", base, "HEAD")
    if found.returncode:
        raise UnknownRevisionError(
            f"no common commit with {base} here: fetch it, or name another revision, make contracts-check BASE=…"
        )
    return found.stdout.strip()


def documents_of(commit: str, folders: Sequence[str], checkout: Path) -> Documents:
    """The documents that lie in the folders at a commit; none where a folder was not there yet."""
    found: dict[str, dict[str, Any]] = {}
    for folder in folders:
        listed = _git(checkout, "ls-tree", "-z", "--name-only", commit, f"{folder}/").stdout.split("\0")
        found[folder] = {
            PurePosixPath(path).stem: json.loads(_git(checkout, "show", f"{commit}:{path}").stdout)
            for path in listed
            if path.endswith(".json")
        }
    return found


def documents_here(folders: Sequence[str], checkout: Path) -> Documents:
    """The documents that lie in the folders now, committed or not."""
    return {
        folder: {
            path.stem: json.loads(path.read_text()) for path in sorted((checkout / folder).glob("*.json"))
        }
        for folder in folders
    }
