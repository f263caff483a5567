"""This file asks a FHIR server to send us a word when something is new there: Subscriptions of type rest-hook.

Without a payload: the word says that something is new, and what it is, we ask for ourselves. So no record travels to an
address that is guarded by nothing but a secret. FHIR R4 https://hl7.org/fhir/R4/subscription.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from ehr.client import FhirClient
from ehr.errors import NotThere

_SOUND: Final = frozenset({"requested", "active"})


def keep_subscribed(client: FhirClient, *, types: Sequence[str], endpoint: str) -> bool:
    """See to it that the server has our Subscriptions, one for each type; whether any had to be made anew.

    Their ids are made from the endpoint and type, so they are never made twice. Raises EhrError.
    """
    wanted = [_subscription(type_, endpoint) for type_ in types]
    missing = [one for one in wanted if not _stands(client, one)]
    if missing:
        entries = [{"resource": one, "request": {"method": "PUT", "url": _name(one)}} for one in missing]
        client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    return bool(missing)


def remove_former(client: FhirClient, *, endpoint: str) -> int:
    """Delete our Subscriptions there that differ from these by the secret alone; how many. Raises EhrError.

    After a new secret the server would go on sending words to the old address for ever.
    """
    notified, _secret, name = endpoint.rsplit("/", 2)
    former = [
        one
        for one in client.search("Subscription", {"type": "rest-hook"})
        if (made_for := _own_endpoint(one))
        and made_for != endpoint
        and made_for.startswith(f"{notified}/")
        and made_for.endswith(f"/{name}")
    ]
    if former:
        entries = [{"request": {"method": "DELETE", "url": _name(one)}} for one in former]
        client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    return len(former)


def _own_endpoint(found: Mapping[str, Any]) -> str | None:
    """The endpoint of a Subscription that is ours, which its id proves; None for one of somebody else's."""
    channel = found.get("channel")
    endpoint = channel.get("endpoint") if isinstance(channel, dict) else None
    made = _subscription(str(found.get("criteria")).removesuffix("?"), str(endpoint))
    return str(endpoint) if found["resourceType"] == "Subscription" and found["id"] == made["id"] else None


def _subscription(type_: str, endpoint: str) -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "id": str(uuid5(NAMESPACE_URL, f"{endpoint}?{type_}")),
        "status": "requested",
        "reason": "Fillertrace fetches a patient's record again when something is new in it",
        "criteria": f"{type_}?",
        "channel": {"type": "rest-hook", "endpoint": endpoint},
    }


def _stands(client: FhirClient, wanted: Mapping[str, Any]) -> bool:
    try:
        found = client.read("Subscription", wanted["id"])
    except NotThere:
        return False
    channel = found.get("channel")
    same = isinstance(channel, dict) and channel.get("endpoint") == wanted["channel"]["endpoint"]
    return same and found.get("criteria") == wanted["criteria"] and found.get("status") in _SOUND


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
