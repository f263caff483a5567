"""A fault of ours is answered calmly, and is found again by its id; neither answer nor log holds what was said."""

import json

import httpx
import pytest

from tests.unit.api.service import FHIR_JSON, Door


def test_an_unknown_fault_says_nothing_but_its_id(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    door.database.engine.dispose()
    door.queue.close()
    with door.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE jobs")
    answer = door.client.get("/Task/secret-name", headers={"X-Request-Id": "r-1"})
    assert answer.status_code in {500, 503}
    assert answer.headers["X-Request-Id"] == "r-1"
    assert "secret-name" not in answer.text


def test_no_value_of_a_refused_record_is_repeated(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    canary = "CANARY-7f3a"
    records = [
        f'{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{{"resourceType":"{canary}"}}}}]}}',
        f'{{"{canary}": "{canary}"',
        json.dumps({"resourceType": "Parameters", "parameter": [{"name": canary, "valueString": canary}]}),
    ]
    for record in records:
        for path in ("", "/$correlate"):
            answer = door.client.post(path, content=record, headers=FHIR_JSON)
            assert 400 <= answer.status_code < 500
            assert canary not in answer.text
    found = httpx.get(f"{door.base}/{canary}/{canary}?{canary}={canary}")
    assert canary not in found.text
    written = capfd.readouterr()
    assert canary not in written.out + written.err
