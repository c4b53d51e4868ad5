"""Which responses a component counts, by the segments the survey platform sent with them."""

from collections.abc import Mapping

import msgspec

Named = dict[str, tuple[str, ...]]
"""Name of a segment → values, any of which will do."""


class Segments(msgspec.Struct, frozen=True, kw_only=True):
    """Only responses with one of the values of every name in `require`, and with none of those in `exclude`."""

    require: Named = {}
    exclude: Named = {}

    def hold(self, of_response: Mapping[str, str]) -> bool:
        wanted = all(of_response.get(name) in values for name, values in self.require.items())
        return wanted and not any(of_response.get(name) in values for name, values in self.exclude.items())

    @property
    def required(self) -> list[str]:
        """ "name:value", sorted."""
        return _named(self.require)

    @property
    def excluded(self) -> list[str]:
        return _named(self.exclude)

    @property
    def label(self) -> str:
        """The same for the same responses, however they were written down."""
        return "&".join([*self.required, *(f"!{one}" for one in self.excluded)])


def _named(segments: Named) -> list[str]:
    return sorted({f"{name}:{value}" for name, values in segments.items() for value in values})
