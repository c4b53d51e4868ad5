"""`python -m fairloop.cli`: the `fairloop` command where its script is not on the path."""

from fairloop.cli.main import app

app(prog_name="fairloop")
