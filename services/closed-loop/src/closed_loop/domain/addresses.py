"""To which addresses a webhook may go: public ones, and the networks the operator names."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_NAT64 = IPv6Network("64:ff9b::/96")


def networks(named: Sequence[str]) -> tuple[Network, ...]:
    """ValueError when one of them is no network."""
    return tuple(ip_network(one) for one in named)


def may_be_called(address: str, allowed: Sequence[Network]) -> bool:
    """False for loopback, link-local, private, shared, reserved and multicast ones, also inside an IPv6 address."""
    return all(
        any(one in network for network in allowed) or (one.is_global and not one.is_multicast)
        for one in _meant(ip_address(address.partition("%")[0]))
    )


def _meant(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """An IPv6 address that carries an IPv4 one means that one (mapped), or leads to it (6to4, NAT64)."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
            return
        if address.sixtofour is not None:
            yield address.sixtofour
        if address in _NAT64:
            yield IPv4Address(int(address) & 0xFFFF_FFFF)
    yield address
