"""The EHR is restarted while a report is written back to it: exactly one report stands there afterwards."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ehr.client import FhirClient
from ehr.errors import Unavailable
from ehr.transport import Transport
from ehr.write_back import Written, write_back
from tests.faults.test_write_back_faults import assert_one_whole_report
from tests.hapi.pulled import client_of, correlated, fetched, load_patient
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.hapi import HapiServer
from tests.servers.loopback import Received
from tests.servers.processes import free_port

DEADLINE_SECONDS = 120.0


class Restarting:
    """A server with a database of its own on disk, restarted once, beginning with the transaction that writes back."""

    def __init__(self, server: HapiServer, port: int, database: Path, *, after_seconds: float, fault: Fault) -> None:
        self._server, self._port, self._database = server, port, database
        self._after_seconds, self._fault = after_seconds, fault
        self._thread = threading.Thread(target=self._restart)
        self.begun = False

    def choose(self, request: Received) -> Fault:
        """What becomes of a request; the first transaction is the moment."""
        if request.method != "POST" or self.begun:
            return Fault.NONE
        self.begun = True
        self._thread.start()
        return self._fault

    def _restart(self) -> None:
        time.sleep(self._after_seconds)
        self._server.stop()
        self._server.start(self._port, self._database)

    def wait(self) -> None:
        self._thread.join(DEADLINE_SECONDS)


def written_at_last(client: FhirClient, patient: str) -> Written:
    """Fetch and write back until it is done, as a worker does."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            history = fetched(client, patient)
            return write_back(client, correlated(history), references=history.references())
        except Unavailable:
            assert time.monotonic() < deadline
            time.sleep(0.5)


@pytest.mark.timeout(600)
def test_an_ehr_that_is_restarted_gets_one_report(tmp_path: Path) -> None:
    """Restarted before it has heard of the transaction, while it works at it, and after it has done it unanswered."""
    port, database = free_port(), tmp_path / "ehr"
    server = HapiServer()
    server.start(port, database)
    with server, Transport(private_hosts=frozenset({"127.0.0.1"})) as transport:
        for after_seconds, fault in ((0.0, Fault.DROP_BEFORE), (0.02, Fault.NONE), (0.3, Fault.DROP_AFTER)):
            direct = client_of(transport, server.base_url)
            patient = load_patient(direct)
            restarting = Restarting(server, port, database, after_seconds=after_seconds, fault=fault)
            with FaultProxy(server.base_url, restarting.choose) as proxy:
                written = written_at_last(client_of(transport, proxy.base_url), patient)
            restarting.wait()
            assert restarting.begun
            assert written in (Written.CREATED, Written.UPDATED, Written.UNCHANGED)
            assert_one_whole_report(client_of(transport, server.base_url), patient)
