"""Webhooks do not reach into the operator's own network."""

import pytest

from closed_loop.domain.addresses import may_be_called, networks


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
def test_no_webhook_goes_to_an_address_that_is_not_public(address: str) -> None:
    assert not may_be_called(address, ())


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::6810:84e5", "::ffff:93.184.215.14"])
def test_public_addresses_are_called(address: str) -> None:
    assert may_be_called(address, ())


def test_a_network_the_operator_names_is_called_and_no_other() -> None:
    allowed = networks(["10.1.0.0/16", "::1/128"])
    assert may_be_called("10.1.2.3", allowed)
    assert may_be_called("::1", allowed)
    assert not may_be_called("10.2.0.1", allowed)
    assert not may_be_called("127.0.0.1", allowed)
