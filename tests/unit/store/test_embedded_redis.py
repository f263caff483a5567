"""The Redis that comes with us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from store.embedded_redis import EmbeddedRedis, find_server
from store.errors import RedisMissing


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_it_keeps_what_it_was_told_and_its_socket_is_private(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "redis") as server, redis.Redis.from_url(server.url) as client:
        client.set("key", "value")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        socket = Path(server.url.removeprefix("unix://").partition("?")[0])
        assert socket.parent.stat().st_mode & 0o077 == 0
    assert not socket.parent.exists()
    with EmbeddedRedis(tmp_path / "redis") as server, redis.Redis.from_url(server.url) as client:
        assert client.get("key") == b"value"


def test_a_deep_folder_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with EmbeddedRedis(deep / "redis") as server:
        assert len(server.url) < 120


def test_two_cannot_share_a_folder(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path), pytest.raises(RedisMissing, match="another process"):
        EmbeddedRedis(tmp_path, start_seconds=0.2).start()


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("key", "value")
    for file in (tmp_path / "appendonlydir").iterdir():
        file.write_bytes(b"nonsense\n" * 10)
    with EmbeddedRedis(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        assert client.ping()
    assert list(tmp_path.glob("appendonlydir.damaged-*"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of the death of a parent")
def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom store.embedded_redis import EmbeddedRedis\n"
        "server = EmbeddedRedis(Path(sys.argv[1]))\nserver.start()\nprint(server.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not _gone(pid)
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not _gone(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _gone(pid)
    with EmbeddedRedis(tmp_path):  # the folder is free again
        pass


def test_the_server_comes_from_the_wheel() -> None:
    assert find_server().name in {"valkey-server", "redis-server"}
