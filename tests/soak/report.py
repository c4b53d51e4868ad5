"""The figures of a soak as Markdown."""

from collections.abc import Mapping, Sequence

from tests.soak.samples import Sample
from tests.soak.verdict import lines, measured


def markdown(samples: Sequence[Sample], facts: Mapping[str, str], wrong: Sequence[str]) -> str:
    kept = measured(samples)
    parts = [
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        _table(
            ("process", "MiB at first", "at last", "at most", "slope, KiB/min", "open files at most"),
            [
                (
                    line.process,
                    _mib(line.first),
                    _mib(line.last),
                    _mib(line.most),
                    f"{line.slope:+.0f}",
                    str(line.files),
                )
                for line in lines(samples)
            ],
        ),
        _table(
            ("connections of", "at first", "at last", "at most"),
            [
                (
                    name,
                    str(kept[0].connections.get(name, 0)),
                    str(kept[-1].connections.get(name, 0)),
                    str(max(sample.connections.get(name, 0) for sample in kept)),
                )
                for name in sorted({name for sample in kept for name in sample.connections})
            ],
        ),
        _table(
            ("rows of", "at first", "at last", "at most"),
            [
                (
                    name,
                    str(kept[0].rows[name]),
                    str(kept[-1].rows[name]),
                    str(max(sample.rows[name] for sample in kept)),
                )
                for name in kept[0].rows
                if any(sample.rows[name] for sample in kept)
            ],
        ),
        "Grows without bound: " + ("; ".join(wrong) if wrong else "nothing."),
    ]
    return "\n\n".join(parts) + "\n"


def _mib(kib: int) -> str:
    return f"{kib / 1024:.1f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruled = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in ruled)
