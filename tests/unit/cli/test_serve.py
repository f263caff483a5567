"""`fillertrace serve` keeps its processes together: it starts them, replaces them, and takes them with it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.servers.service import Service
from tests.unit.cli.command import COMMAND, fillertrace

PATIENCE = 20.0


def _children(pid: int) -> set[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for file in listed for child in file.read_text().split()}


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_folder_can_be_named_relative_and_serves_one_at_a_time(tmp_path: Path) -> None:
    with Service("serve", "--port", "0", "--data", "kept", folder=tmp_path) as service:
        assert httpx.get(f"{service.base_url}/metadata").status_code == 200
        second = fillertrace("serve", "--port", "0", "--data", "kept", folder=tmp_path)
        assert second.returncode == 1
        assert b"another fillertrace serve" in second.stderr
        assert service.stop() == 0
    assert (tmp_path / "kept" / "fillertrace.sqlite3").exists()


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with Service("serve", "--port", "0", "--data", "kept", folder=tmp_path) as service:
        before = _children(service.process.pid)
        worker = next(pid for pid in before if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(worker, signal.SIGKILL)
        _until(lambda: len(_children(service.process.pid) - {worker}) == len(before))


def test_killed_it_leaves_nobody_behind(tmp_path: Path) -> None:
    with Service("serve", "--port", "0", "--data", "kept", "--workers", "2", folder=tmp_path) as service:
        children = _children(service.process.pid)
        assert len(children) == 3
        service.kill9()
        _until(lambda: not any(_alive(child) for child in children))


def test_ctrl_c_stops_it_in_order(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0", "--data", "kept"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"ready http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    process.stdout.close()
