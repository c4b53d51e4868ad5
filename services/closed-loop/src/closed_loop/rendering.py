"""Digests as people read them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from closed_loop.domain.digest import Digest, Figure

_templates = Environment(
    loader=PackageLoader("closed_loop"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def as_text(digest: Digest, zone: ZoneInfo) -> str:
    return _render("digest.txt", digest, zone)


def as_html(digest: Digest, zone: ZoneInfo) -> str:
    return _render("digest.html", digest, zone)


def subject(digest: Digest) -> str:
    """Says nothing about anybody: subjects are shown on locked screens."""
    return f"Your {digest.kind} digest, {digest.starts} to {digest.ends}"


def _render(name: str, digest: Digest, zone: ZoneInfo) -> str:
    def named(id: str) -> str:
        return digest.names.get(id, id)

    def local(at: datetime) -> str:
        return at.astimezone(zone).strftime("%a %d %b %H:%M")

    return _templates.get_template(name).render(digest=digest, named=named, local=local, figure=_figure)


def _figure(figure: Figure) -> str:
    if figure.suppressed or figure.value is None:
        return "too few answers to show"
    return f"{figure.value} ({figure.low} to {figure.high}), {figure.n} answers"
