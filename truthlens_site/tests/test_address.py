"""The address that the web server will listen on."""

import socket

import pytest

from truthlens_site.address import AddressError, answers, check_free, link
from truthlens_site.tests.services import free_port


def test_a_free_port_is_free() -> None:
    port = free_port()
    check_free("127.0.0.1", port)
    assert not answers("127.0.0.1", port)


def test_a_port_in_use_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert answers("127.0.0.1", port)
        with pytest.raises(AddressError, match=f"^Port {port} on 127.0.0.1 is in use by another program"):
            check_free("127.0.0.1", port, patience_s=0)


def test_an_address_that_is_not_this_machine_s_is_told() -> None:
    with pytest.raises(
        AddressError, match=r"^Port 8000 on 203.0.113.1 can't be used: this machine has no such"
    ):
        check_free("203.0.113.1", 8000)


def test_a_port_that_does_not_exist_is_told() -> None:
    with pytest.raises(AddressError, match=r"^Port 70000 on 127.0.0.1 is no use"):
        check_free("127.0.0.1", 70000)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("lens.example.org", "http://lens.example.org:8000/"),
    ],
)
def test_the_link_can_be_clicked(host: str, address: str) -> None:
    assert link(host, 8000) == address
