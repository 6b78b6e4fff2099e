"""Where a message may go, what it takes along, and how little of an answer it waits for and keeps."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings

from analyses.tests.receivers import Receiver, answer_with, receiving
from analyses.webhooks import posting
from analyses.webhooks.addresses import Uncallable, callable_addresses, is_public, parts_of
from analyses.webhooks.models import ANSWER_LENGTH, Problem
from analyses.webhooks.posting import Reply, post

HOST = "hooks.example.org"
PUBLIC = "93.184.215.14"


class Names:
    """A resolver that tells another address each time that it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0
        self.real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: str, port: int, *more: Any, **options: Any) -> list[Any]:
        if host != HOST:  # an address, which needs no looking up
            return self.real(host, port, *more, **options)
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


def problem_of(url: str) -> Problem:
    with pytest.raises(Uncallable) as refused:
        post(url, body=b"{}", headers={})
    return refused.value.problem


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1%eth0", "fc00::1",
        "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1",
        "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "nonsense", "",
    ],
)  # fmt: skip
def test_addresses_of_networks_like_ones_own_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "https://",
        "https:///x",
        "hooks.example.org",
        "https://user:password@hooks.example.org/",
        "https://hooks.example.org:0/",
        "https://a b/",
        "https://é.fr",
        "https://hooks.example.org:99999/",
        "https://[::1/",
        "https://hooks.example.org/\r\nX: y",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/",
        "javascript:alert(1)",
        f"https://hooks.example.org/{'x' * 500}",
        "",
    ],
)
def test_what_can_not_be_called_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parts_of(url)


def test_the_sites_setting_lets_messages_go_to_its_own_network(settings: Settings) -> None:
    settings.WEBHOOKS_PRIVATE = True
    assert parts_of("http://127.0.0.1:8000/x").port == 8000
    assert callable_addresses("127.0.0.1", 80) == ["127.0.0.1"]


@pytest.mark.parametrize("answers", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], [PUBLIC, "::1"]])
def test_a_name_with_one_address_that_is_not_public_is_not_called(
    answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Names(monkeypatch, answers)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it was called"))
    assert problem_of(f"https://{HOST}/") == Problem.PRIVATE


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "localhost"])
def test_other_spellings_of_an_address_lead_nowhere_else(host: str) -> None:
    assert problem_of(f"https://{host}/") == Problem.PRIVATE


def test_a_name_is_looked_up_once_and_what_was_checked_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, [PUBLIC], ["127.0.0.1"])
    called: list[str] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert problem_of(f"https://{HOST}/") == Problem.UNREACHABLE
    assert (called, names.asked) == ([PUBLIC], 1)


def test_a_name_that_nobody_knows_is_told_as_that() -> None:
    assert problem_of("https://nowhere.invalid/") == Problem.UNKNOWN_HOST


def test_a_message_arrives_under_the_hosts_name_with_its_path(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    Names(monkeypatch, ["127.0.0.1"])
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    reply = post(
        f"http://{HOST}:{receiver.port}/a%20b?c=d#e", body=b'{"x": 1}', headers={"webhook-id": "msg_1"}
    )
    (message,) = receiver.messages
    assert reply == Reply(204, "")
    assert (message.path, message.body) == ("/a%20b?c=d", b'{"x": 1}')
    assert message.headers["Host"] == f"{HOST}:{receiver.port}"
    assert message.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, receiver: Receiver) -> None:
    receiver.answer = answer_with(status, Location=receiver.url)
    assert post(receiver.url, body=b"{}", headers={}).status == status
    assert len(receiver.messages) == 1


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ever: no single wait is long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)


def stay_silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


@pytest.mark.parametrize("answer", [drip, stay_silent])
def test_a_slow_answer_is_cut_off(answer: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "LONGEST_S", 0.3)
    receiver.answer = answer
    started = time.monotonic()
    assert problem_of(receiver.url) == Problem.TIMED_OUT
    assert time.monotonic() - started < 1.5


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        handler.wfile.write(b"a lot of it " * 5000)


def test_of_an_endless_answer_the_beginning_is_read(
    receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = endless
    assert post(receiver.url, body=b"{}", headers={}) == Reply(200, "")
    settings.WEBHOOKS_PRIVATE = False
    public_loopback(monkeypatch)
    text = post(f"https://127.0.0.1:{receiver.port}/", body=b"{}", headers={}).text
    assert len(text) == ANSWER_LENGTH
    assert text.startswith("a lot of it")


def public_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this machine were the internet, and spoke without TLS."""
    monkeypatch.setattr("analyses.webhooks.addresses.is_public", lambda address: True)
    monkeypatch.setattr(posting.Line, "secure", lambda line, host: None)


@pytest.mark.parametrize(
    ("kind", "content", "kept"),
    [
        ("text/plain; charset=utf-8", b"not\x00 \x1b[31mknown\n", "not [31mknown"),
        ("application/json", b'{"a": 1}', '{"a": 1}'),
        ("image/png", b"\x89PNG", ""),
    ],
)
def test_of_an_answer_only_text_is_kept(
    kind: str,
    content: bytes,
    kept: str,
    receiver: Receiver,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEBHOOKS_PRIVATE = False
    public_loopback(monkeypatch)
    receiver.answer = answer_with(400, content, Content_Type=kind)
    assert post(f"https://127.0.0.1:{receiver.port}/", body=b"{}", headers={}) == Reply(400, kept)


def say_nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")


def test_what_is_no_web_server_is_told_as_that(receiver: Receiver) -> None:
    receiver.answer = say_nonsense
    assert problem_of(receiver.url) == Problem.BROKEN


def test_where_nobody_listens_there_is_no_connection(settings: Settings) -> None:
    settings.WEBHOOKS_PRIVATE = True
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert problem_of(f"http://127.0.0.1:{unused.getsockname()[1]}/") == Problem.UNREACHABLE


# TLS


def write_certificate(path: Path, host: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    certificate = builder.add_extension(x509.BasicConstraints(True, None), critical=True).sign(
        key, hashes.SHA256()
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def secure(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver with a certificate of HOST that is trusted here."""
    settings.WEBHOOKS_PRIVATE = True
    pem = tmp_path / "certificate.pem"
    write_certificate(pem, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    Names(monkeypatch, ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with receiving(context) as receiver:
        yield receiver


def test_the_certificate_is_of_the_name_and_not_of_the_address(secure: Receiver) -> None:
    assert post(f"https://{HOST}:{secure.port}/", body=b"{}", headers={}).status == 204
    assert problem_of(f"https://127.0.0.1:{secure.port}/") == Problem.TLS


def test_a_certificate_that_nobody_vouches_for_is_not_taken(
    secure: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert problem_of(f"https://{HOST}:{secure.port}/") == Problem.TLS
    assert not secure.messages
