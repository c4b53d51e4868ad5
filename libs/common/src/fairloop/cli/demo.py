"""`fairloop demo`: the examples of the source checkout, played on this installation."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fairloop.cli.terminal import in_plain_words


def demo(
    year: Annotated[
        bool, typer.Option("--year", help="A generated year of a company with two planted problems instead.")
    ] = False,
    scale: Annotated[
        float, typer.Option(help="Of the year's 25,000 interactions and 6,000 answers.", min=0.02, max=10)
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed and end give the same year.", min=0)] = 1,
    ends: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The first of the month after the year; by default this."),
    ] = None,
) -> None:
    """Play the windscreen story, or a year of it; ONCE=1 stops what it started and exits, non-zero when a figure is off."""
    with in_plain_words():
        if not year:
            raise typer.Exit(_run(str(_example("windscreen", "story.py"))))
        if ends is not None and ends.day != 1:
            raise typer.BadParameter("a year ends before the first of a month", param_hint="--ends")
        options = [f"--scale={scale}", f"--seed={seed}"]
        options += [] if ends is None else [f"--ends={ends:%Y-%m-%d}"]
        checkout = _example("year", "__main__.py").parents[2]
        raise typer.Exit(_run("-m", "examples.year", *options, path=[str(checkout)]))


def _run(*arguments: str, path: Sequence[str] = ()) -> int:
    """Its status; `path` goes before what Python looks for modules in."""
    looked_in = [*path, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, **({"PYTHONPATH": os.pathsep.join(looked_in)} if looked_in else {})}
    return subprocess.run([sys.executable, *arguments], check=False, env=environment).returncode


def _example(name: str, file: str) -> Path:
    """A file of an example. Raises FileNotFoundError where there is only the installed package."""
    path = Path(__file__).parents[5] / "examples" / name / file
    if not path.exists():
        raise FileNotFoundError("the examples come with the source checkout; run them there: make demo")
    return path
