"""Follows a status address of Fillertrace to its end, in whichever dialect the kick-off asked for. No packages.

python3 poll.py STATUS_URL            prints the resources of the result, one per line
python3 poll.py --cancel STATUS_URL   gives it up
"""

import json
import sys
import time
import urllib.error
import urllib.request

TRANSIENT = {429, 502, 503, 504}


class Failed(Exception):
    """It came to nothing: the HTTP status, and the OperationOutcome that says why."""


def ask(url, token=None, method="GET"):
    """One request: status, headers, body, and the address that answered. A 303 is followed."""
    headers = {"Accept": "application/fhir+json, application/json;q=0.9, */*;q=0.1"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method), timeout=60)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        return answer.status, answer.headers, answer.read(), answer.url


def poll(url, token=None, patience_seconds=3600):
    """The resources of the result, as a list. Raises Failed, also when it was cancelled or has expired."""
    end = time.monotonic() + patience_seconds
    while time.monotonic() < end:
        status, headers, body, answered_by = ask(url, token)
        running = status == 202 or headers.get("X-Export-Status", "").startswith("202")
        if running or status in TRANSIENT:
            wait = headers.get("Retry-After", "")
            time.sleep(int(wait) if wait.isdigit() else 5)
            continue
        said = json.loads(body)
        if status >= 400 or said.get("resourceType") == "OperationOutcome":
            raise Failed(headers.get("X-Export-Status", status), said)
        if "output" in said:  # FHIR R4: a manifest of files
            files = [ask(file["url"], token)[2] for file in said["output"] + said["error"]]
            return [json.loads(line) for file in files for line in file.splitlines()]
        if said["type"] == "batch-response" and answered_by == url:  # FHIR R5: the answer is in a Bundle
            entry = said["entry"][0]
            if not entry["response"]["status"].startswith("2"):
                raise Failed(entry["response"]["status"], entry["response"]["outcome"])
            said = entry["resource"]
        # With async-result=redirect the answer itself came, by 303.
        return [entry["resource"] for entry in said["entry"]] if said["type"] == "collection" else [said]
    raise TimeoutError(url)


if __name__ == "__main__":
    if sys.argv[1] == "--cancel":
        sys.exit(0 if ask(sys.argv[2], method="DELETE")[0] == 202 else 1)
    try:
        for resource in poll(sys.argv[1]):
            print(json.dumps(resource))
    except Failed as failed:
        status, outcome = failed.args
        sys.exit(f"{status}: {outcome['issue'][0]['details']['text']}")
