"""Asks the service by the operations of its OpenAPI document, and notes what it answered and whether that was said."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from tests.unit.api.service import Door

_ALWAYS_ALLOWED = {"content-length", "content-type", "date", "vary", "cache-control", "content-security-policy"}


class Asker:
    """A client of one door. `seen` are the statuses of each operation, `untrue` the answers that were not as said."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.root = door.base.removesuffix("/fhir")
        self.document: dict[str, Any] = httpx.get(f"{self.root}/openapi.json").json()
        self.operations = {
            said["operationId"]: (method, path, said)
            for path, item in self.document["paths"].items()
            for method, said in item.items()
        }
        self.seen: dict[str, set[int]] = defaultdict(set)
        self.untrue: list[str] = []

    def said(self, operation: str) -> dict[str, Any]:
        """What the document says of an operation."""
        found: dict[str, Any] = self.operations[operation][2]
        return found

    def ask(self, operation: str, **how: Any) -> httpx.Response:
        """Send a request; `at` fills the address, all else is httpx's."""
        method, path, _ = self.operations[operation]
        at: dict[str, str] = how.pop("at", {})
        address = re.sub(r"\{(\w+)\}", lambda found: at.get(found[1], "nothing"), path)
        answer = self.door.client.request(method.upper(), self.root + address, **how)
        self.seen[operation].add(answer.status_code)
        self.untrue += [f"{operation} {answer.status_code}: {one}" for one in self._differences(operation, answer)]
        return answer

    def _differences(self, operation: str, answer: httpx.Response) -> list[str]:
        said = self.said(operation)["responses"].get(str(answer.status_code))
        if said is None:
            return ["not documented"]
        if "$ref" in said:
            said = self.document["components"]["responses"][said["$ref"].rpartition("/")[2]]
        found = [*self._header_differences(said["headers"], answer)]
        content = said.get("content", {})
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if not answer.content:
            minimal = "minimal" in answer.headers.get("preference-applied", "")
            return found if minimal or not content else [*found, "no body"]
        if media_type not in content:
            return [*found, f"media type {media_type}"]
        if "json" in media_type and "ndjson" not in media_type:
            schema = {**content[media_type]["schema"], "components": self.document["components"]}
            found += [one.message[:200] for one in Draft202012Validator(schema).iter_errors(answer.json())]
        return found

    def _header_differences(self, said: dict[str, Any], answer: httpx.Response) -> list[str]:
        known = {name.lower() for name in said} | _ALWAYS_ALLOWED
        found = [f"header {name}" for name in answer.headers if name not in known]
        for name, header in said.items():
            value = answer.headers.get(name)
            if value is None:
                found += [f"no header {name}"] if header["required"] else []
            elif not re.search(header["schema"].get("pattern", ""), value):
                found.append(f"the value of {name}")
        return found
