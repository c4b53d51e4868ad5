"""`fairloop demo`: the examples of the source checkout, played on this installation or on another one."""

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
    *,
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
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="The address of a service of another installation; five times. Play the story there, as a guest.",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="FAIRLOOP_TOKEN", help="An administrator's, of the target.", show_default=False),
    ] = None,
    remove: Annotated[
        str | None,
        typer.Option(
            metavar="TAG", help="Take back what the story left on the target instead.", show_default=False
        ),
    ] = None,
) -> None:
    """Play the windscreen story, or a year of it; ONCE=1 stops what it started and exits, non-zero when a figure is off."""
    with in_plain_words():
        if target or remove:
            raise typer.Exit(_play_elsewhere(target or [], token=token, remove=remove, year=year))
        if not year:
            raise typer.Exit(_run(str(_example("windscreen", "story.py"))))
        if ends is not None and ends.day != 1:
            raise typer.BadParameter("a year ends before the first of a month", param_hint="--ends")
        options = [f"--scale={scale}", f"--seed={seed}"]
        options += [] if ends is None else [f"--ends={ends:%Y-%m-%d}"]
        checkout = _example("year", "__main__.py").parents[2]
        raise typer.Exit(_run("-m", "examples.year", *options, path=[str(checkout)]))


def _play_elsewhere(target: Sequence[str], *, token: str | None, remove: str | None, year: bool) -> int:
    """The token goes on in the environment, where no list of processes shows it."""
    if not target:
        raise typer.BadParameter(
            "say which installation: --target URL, once per service", param_hint="--remove"
        )
    if year:
        raise typer.BadParameter(
            "the year is played on the installation of this checkout only", param_hint="--year"
        )
    if not token:
        raise typer.BadParameter("an administrator's token is needed", param_hint="FAIRLOOP_TOKEN")
    options = [f"--target={url}" for url in target] + ([] if remove is None else [f"--remove={remove}"])
    return _run(str(_example("windscreen", "story.py")), *options, FAIRLOOP_TOKEN=token)


def _run(*arguments: str, path: Sequence[str] = (), **variables: str) -> int:
    """Its status; `path` goes before what Python looks for modules in."""
    looked_in = [*path, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        **({"PYTHONPATH": os.pathsep.join(looked_in)} if looked_in else {}),
        **variables,
    }
    return subprocess.run([sys.executable, *arguments], check=False, env=environment).returncode


def _example(name: str, file: str) -> Path:
    """A file of an example. Raises FileNotFoundError where there is only the installed package."""
    path = Path(__file__).parents[5] / "examples" / name / file
    if not path.exists():
        raise FileNotFoundError("the examples come with the source checkout; run them there: make demo")
    return path
