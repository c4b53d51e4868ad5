"""Everything a look at an installation brought in, for the checks to judge."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.samples import Sample

from fairloop.doctor.asking import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What was looked at beside the processes; words say why it was not, None: there is nothing of the kind here.

    `topics_wrong`: topic → what is found instead of what the catalogue says. `log_away`: why it does not answer.
    `ownerless`: unit → open cases that no person owns. `data_version`: (of the data folder, of this program).
    `disk`: bytes (free, in all) where the data folder is.
    """

    topics_wrong: Mapping[str, str] | str
    log_away: str | None
    ownerless: Mapping[str, int] | str
    data_version: tuple[int, int] | None
    disk: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    said: Sequence[Said]
    around: Around
    token_shown: bool
    our_version: str
    now: datetime

    @property
    def answering(self) -> list[Said]:
        return [one for one in self.said if one.answers]

    def samples(self, name: str) -> Iterator[tuple[Said, Sample]]:
        """Every sample of one metric, with the process that told it."""
        for one in self.answering:
            for sample in one.metrics.get(name, ()):
                yield one, sample
