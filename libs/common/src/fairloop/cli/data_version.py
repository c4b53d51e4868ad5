"""Which layout the data folder has, so that an older program never touches a newer one's data."""

import json
from pathlib import Path

from fairloop.embedded import EmbeddedError

DATA_VERSION = 1


def claim_data_folder(data: Path) -> None:
    """Make the folder, or check that this version may use it. Raises EmbeddedError."""
    data.mkdir(mode=0o755, parents=True, exist_ok=True)
    marker = data / "version.json"
    if not marker.exists():
        marker.write_text(json.dumps({"data_version": DATA_VERSION}) + "\n")
    found = data_version_of(data)
    if found > DATA_VERSION:
        raise EmbeddedError(
            f"the data in {data} is from a newer Fairloop (data version {found}, this one knows {DATA_VERSION}): "
            "use that version, or another FAIRLOOP_HOME"
        )


def data_version_of(data: Path) -> int:
    """What the folder's marker says. Raises EmbeddedError where it says nothing that can be read."""
    marker = data / "version.json"
    try:
        return int(json.loads(marker.read_text())["data_version"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EmbeddedError(f"{marker} does not say which data version it is: {error!r}") from error


def is_ours(data: Path) -> bool:
    """Whether this is a data folder of Fairloop: only such a one may be deleted."""
    return (data / "version.json").is_file()
