"""What leaves the service: who is called, who is believed, and how much is read."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ehr.addresses import is_public
from ehr.errors import Refused, TooLarge, Unavailable
from ehr.transport import Transport
from tests.servers.certificates import self_signed
from tests.servers.loopback import HANG_UP, Loopback, Received, Reply, reply

LOCAL = frozenset({"127.0.0.1", "localhost"})


def hello(_request: Received) -> Reply:
    return reply({"resourceType": "Patient"})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433"])
def test_a_private_address_is_refused_whatever_its_name(host: str) -> None:
    with Loopback(hello) as server, Transport() as transport:
        with pytest.raises((Refused, Unavailable)) as refused:
            transport.request("GET", f"https://{host}:{server.port}/")
        assert server.received == []
    if host == "localhost":
        assert "localhost is on a private address" in str(refused.value)


def test_a_private_address_is_not_allowed_by_another_name() -> None:
    with Loopback(hello) as server, Transport(private_hosts=frozenset({"localhost"})) as transport:
        assert transport.request("GET", f"http://localhost:{server.port}/").status == 200
        with pytest.raises(Refused):
            transport.request("GET", f"https://127.0.0.1:{server.port}/")
        assert len(server.received) == 1


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("10.1.2.3", False),
        ("169.254.169.254", False),  # where clouds keep their secrets
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),  # NAT64
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b:1::10.0.0.1", False),
        ("2002:a00:1::1", False),  # 6to4 to 10.0.0.1
        ("2001:0:a00:1::", False),  # Teredo
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False),  # Teredo to 10.0.0.1
        ("fec0::1", False),
        ("::10.0.0.1", False),
        ("::127.0.0.1", False),
        ("::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("64:ff9b::192.0.43.8", True),
        ("::ffff:192.0.43.8", True),
        ("192.0.43.8", True),
        ("2001:500:88:200::8", True),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_without_tls_only_hosts_that_were_named_are_called() -> None:
    with Transport() as transport, pytest.raises(Refused, match="without TLS"):
        transport.request("GET", "http://ehr.example/fhir")


@pytest.mark.parametrize("url", ["ftp://ehr.example/", "https://me:word@ehr.example/", "https://", "https://a:b/"])
def test_an_address_of_another_kind_is_refused_and_not_repeated(url: str) -> None:
    with Transport() as transport, pytest.raises(Refused) as refused:
        transport.request("GET", url)
    assert "word" not in str(refused.value)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Loopback, Path]]:
    context, authority = self_signed(tmp_path, "localhost")
    with Loopback(hello, tls=context) as server:
        yield server, authority


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: tuple[Loopback, Path]) -> None:
    server, _ = secure
    with Transport(private_hosts=LOCAL) as transport, pytest.raises(Refused, match="no certificate"):
        transport.request("GET", f"https://localhost:{server.port}/")
    assert server.received == []


def test_a_certificate_of_an_authority_that_was_named_is_taken(secure: tuple[Loopback, Path]) -> None:
    server, authority = secure
    with Transport(private_hosts=LOCAL, ca_file=authority) as transport:
        assert transport.request("GET", f"https://localhost:{server.port}/").status == 200
    assert server.received[0].headers["host"] == f"localhost:{server.port}"


def test_a_certificate_for_another_name_is_refused_also_on_an_open_connection(secure: tuple[Loopback, Path]) -> None:
    """127.0.0.1 is where localhost is, and still another name."""
    server, authority = secure
    with Transport(private_hosts=LOCAL, ca_file=authority) as transport:
        transport.request("GET", f"https://localhost:{server.port}/")
        with pytest.raises(Refused, match="no certificate"):
            transport.request("GET", f"https://127.0.0.1:{server.port}/")
    assert len(server.received) == 1


def test_a_redirect_is_not_followed() -> None:
    with (
        Loopback(hello) as target,
        Loopback(lambda _: reply(b"", status=307, Location=f"{target.base_url}/")) as server,
        Transport(private_hosts=LOCAL) as transport,
    ):
        with pytest.raises(Refused, match="redirect"):
            transport.request("POST", f"{server.base_url}/", content=b"{}")
        assert target.received == []


def test_no_more_is_read_than_was_agreed() -> None:
    endless = Reply(pieces=(b" " * 65536 for _ in range(32768)))
    with (
        Loopback(lambda _: endless) as server,
        Transport(private_hosts=LOCAL, max_bytes=100_000) as transport,
        pytest.raises(TooLarge),
    ):
        transport.request("GET", f"{server.base_url}/")


def test_a_slow_answer_is_given_up() -> None:
    def drip(_request: Received) -> Reply:
        return Reply(pieces=_slowly(b"{", pause=0.05))

    with Loopback(drip) as server, Transport(private_hosts=LOCAL, timeout_seconds=0.1) as transport:
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="too slowly"):
            transport.request("GET", f"{server.base_url}/")
        assert 1.0 <= time.monotonic() - begun < 3.0  # ten times the time of one step


def _slowly(piece: bytes, *, pause: float) -> Iterator[bytes]:
    for _ in range(200):
        time.sleep(pause)
        yield piece


@contextmanager
def raw_server(*, first: bytes = b"", again: bytes, pause: float) -> Iterator[str]:
    """A server that answers each connection with bytes, and then without end with others; its address."""

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(first)
            while not stopped.wait(pause):
                connection.sendall(again)

    def accept() -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                threading.Thread(target=serve, args=listening.accept()[:1], daemon=True).start()

    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        stopped.set()
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("first", "again", "pause"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.05),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.0),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.05),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"y", 0.05),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"y", 0.05),
    ],
)
def test_an_answer_that_never_begins_or_ends_is_given_up(first: bytes, again: bytes, pause: float) -> None:
    with (
        raw_server(first=first, again=again, pause=pause) as url,
        Transport(private_hosts=LOCAL, timeout_seconds=0.1) as transport,
    ):
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="too slowly"):
            transport.request("GET", url)
        assert 1.0 <= time.monotonic() - begun < 3.0


def test_a_server_that_hardly_reads_is_given_up() -> None:
    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while connection.recv(1024):
                time.sleep(0.03)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        threading.Thread(target=lambda: serve(listening.accept()[0]), daemon=True).start()
        with Transport(private_hosts=LOCAL, timeout_seconds=0.2) as transport:
            begun = time.monotonic()
            with pytest.raises(Unavailable):
                transport.request("POST", f"http://127.0.0.1:{listening.getsockname()[1]}/", content=b"x" * 50_000_000)
            assert time.monotonic() - begun < 4.0


def test_the_deadline_of_one_request_is_none_of_the_next() -> None:
    with Loopback(hello) as server, Transport(private_hosts=LOCAL, timeout_seconds=0.1) as transport:
        for _ in range(3):
            assert transport.request("GET", f"{server.base_url}/").status == 200
            time.sleep(0.6)


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br", "GZIP", "identity, gzip"])
def test_a_packed_answer_is_refused_before_it_is_unpacked(encoding: str) -> None:
    packed = gzip.compress(gzip.compress(b" " * 10_000_000))
    with (
        Loopback(lambda _: reply(packed, Content_Encoding=encoding)) as server,
        Transport(private_hosts=LOCAL, max_bytes=1_000_000) as transport,
        pytest.raises(Refused, match="packed content"),
    ):
        transport.request("GET", f"{server.base_url}/")
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_an_answer_that_says_that_it_is_not_packed_is_read() -> None:
    with (
        Loopback(lambda _: reply(b"{}", Content_Encoding="identity")) as server,
        Transport(private_hosts=LOCAL) as transport,
    ):
        assert transport.request("GET", f"{server.base_url}/").content == b"{}"


def test_a_silent_server_is_given_up() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,  # takes connections and says nothing
        Transport(private_hosts=LOCAL, timeout_seconds=0.2) as transport,
        pytest.raises(Unavailable),
    ):
        transport.request("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/")


@pytest.mark.parametrize("answer", [Reply(pieces=(b'{"resourceType"',), length=1000, hang_up=True), HANG_UP])
def test_half_an_answer_is_none(answer: Reply) -> None:
    with (
        Loopback(lambda _: answer) as server,
        Transport(private_hosts=LOCAL) as transport,
        pytest.raises(Unavailable, match=r"127\.0\.0\.1 gave no whole answer"),
    ):
        transport.request("GET", f"{server.base_url}/Patient/12")
