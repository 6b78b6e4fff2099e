"""Reading Content Credentials with c2pa. Runs in a limited child; nothing is ever fetched."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import c2pa

from detector.decoder import Channel, Job
from detector.tags import plain

MOST_ACTIONS = 20
OFFLINE = {
    "verify_after_reading": True, "verify_trust": True, "ocsp_fetch": False, "remote_manifest_fetch": False,
}  # fmt: skip
TRUSTED = "The signer is on this site’s trust list, and the file was not changed since."
UNLISTED = "The file was not changed since it was signed, but the signer is not on this site’s trust list."
NO_LIST = (
    "The file was not changed since it was signed, but this site has no trust list, so nobody vouches for "
    "the signer."
)
DAMAGED = "The Content Credentials are damaged."
ELSEWHERE = "The file points to Content Credentials that lie elsewhere, and nothing is fetched."
PROBLEMS = {
    "assertion.bmffHash.mismatch": "The file was changed after it was signed.",
    "assertion.dataHash.mismatch": "The file was changed after it was signed.",
    "assertion.hashedURI.mismatch": "What the signer claimed was changed afterwards.",
    "claimSignature.mismatch": "The signature doesn’t fit what was signed.",
    "claimSignature.outsideValidity": "It was signed when the signer’s certificate was not valid.",
    "signingCredential.expired": "The signer’s certificate has expired.",
    "signingCredential.revoked": "The signer’s certificate was revoked.",
    "signingCredential.invalid": "The signer’s certificate is not one for signing.",
}


def read_credentials(job: Job, channel: Channel) -> None:
    """Send the status, its reason, and what the signer claims."""
    trust = os.pread(job["trust"], 1 << 22, 0).decode("ascii", "replace") if job["trust"] is not None else ""
    with os.fdopen(os.dup(job["file"]), "rb") as file:
        channel.send({"kind": "credentials", **found_in(file, trust)})


def found_in(file: Any, trust: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"verify": OFFLINE}
    if trust:
        settings["trust"] = {"trust_anchors": trust}
    try:
        context = c2pa.Context(c2pa.Settings.from_dict(settings))
        with c2pa.Reader(None, file, None, context) as reader:
            return told(json.loads(reader.json()), str(reader.get_validation_state()), bool(trust))
    except c2pa.C2paError.RemoteManifest:
        return empty("unread", ELSEWHERE)
    except c2pa.C2paError:
        return empty("invalid", DAMAGED)


def empty(status: str, reason: str) -> dict[str, Any]:
    claims = {"signer": "", "generator": "", "title": "", "signed_at": "", "actions": []}
    return {"status": status, "reason": reason, **claims}


def told(store: Mapping[str, Any], state: str, has_list: bool) -> dict[str, Any]:
    manifest = store["manifests"][store["active_manifest"]]
    signature = manifest.get("signature_info") or {}
    status, reason = judged(store, state, has_list)
    return {
        "status": status,
        "reason": reason,
        "signer": text(signature.get("issuer") or signature.get("common_name")),
        "generator": ", ".join(generators(manifest)),
        "title": text(manifest.get("title")),
        "signed_at": text(signature.get("time")),
        "actions": list(actions(manifest))[:MOST_ACTIONS],
    }


def judged(store: Mapping[str, Any], state: str, has_list: bool) -> tuple[str, str]:
    if state == "Trusted":
        return "trusted", TRUSTED
    if state == "Valid":
        return "untrusted", UNLISTED if has_list else NO_LIST
    return "invalid", " ".join(dict.fromkeys(problems(store))) or DAMAGED


def problems(store: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each thing that is wrong; that the signer isn't listed is no fault of the file."""
    for entry in store.get("validation_status") or ():
        code = text(entry.get("code"))
        if code != "signingCredential.untrusted":
            yield PROBLEMS.get(code, f"{DAMAGED[:-1]} ({code}).")


def generators(manifest: Mapping[str, Any]) -> Iterator[str]:
    for entry in (manifest.get("claim_generator_info") or ())[:4]:
        name = f"{text(entry.get('name'))} {text(entry.get('version'))}".strip()
        if name:
            yield name


def actions(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What was done, like "c2pa.created (digitalCapture)"."""
    for assertion in manifest.get("assertions") or ():
        if not str(assertion.get("label")).startswith("c2pa.actions"):
            continue
        for action in (assertion.get("data") or {}).get("actions") or ():
            source = text(action.get("digitalSourceType")).rsplit("/", 1)[-1]
            yield text(action.get("action")) + (f" ({source})" if source else "")


def text(value: object) -> str:
    return plain(value) if isinstance(value, str) else ""
