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
    found = int(json.loads(marker.read_text())["data_version"])
    if found > DATA_VERSION:
        raise EmbeddedError(
            f"the data in {data} is from a newer Fairloop (data version {found}, this one knows {DATA_VERSION}): "
            "use that version, or another FAIRLOOP_HOME"
        )


def is_ours(data: Path) -> bool:
    """Whether this is a data folder of Fairloop: only such a one may be deleted."""
    return (data / "version.json").is_file()
