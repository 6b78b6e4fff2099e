"""Checks a result document: against its schema, and for what a schema can't say."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from detector.codes import FAILURE_SENTENCES, Failure

SCHEMA_PATH = Path(__file__).parent.parent / "result.schema.json"

Document = dict[str, Any]


@cache
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check_document(document: Document) -> None:
    """Raise AssertionError unless this is a result or error document that a script may rely on."""
    plain = json.loads(json.dumps(document, allow_nan=False))
    name = "failure" if "error" in plain else "result"
    part = validator().evolve(schema={**validator().schema, "oneOf": [{"$ref": f"#/$defs/{name}"}]})  # type: ignore[dict-item]
    problems = [problem for error in part.iter_errors(plain) for problem in (error.context or [error])]
    assert not problems, "\n".join(f"{problem.json_path}: {problem.message}" for problem in problems)
    if name == "failure":
        assert plain["error"]["message"] == FAILURE_SENTENCES[Failure(plain["error"]["code"])]
    else:
        check_meaning(plain)


def check_meaning(document: Document) -> None:
    """What the fields of a result must be to each other."""
    check_verdict(document)
    tracks = [face["track"] for face in document["faces"]]
    assert len(tracks) == len(set(tracks)), "two faces have the same track"
    places = [(frame["frame"], frame["track"]) for frame in document["frames"]]
    assert places == sorted(set(places)), "frames are not in order, or one is there twice"
    used = {entry["track"] for entry in document["frames"] + document["evidence"]}
    assert used <= set(tracks), "a frame is of a face that is not listed"
    names = [entry[kind] for entry in document["evidence"] for kind in ("crop", "heatmap")]
    assert len(names) == len(set(names)), "two evidence images have the same name"
    check_times(document)


def check_verdict(document: Document) -> None:
    """The verdict stands on the right side of the threshold, and one that abstains says why."""
    threshold, value = document["threshold"], document["fake_probability"]
    for part in (document, *document["faces"]):
        check_side(part["verdict"], part["fake_probability"], threshold)
        assert part["verdict"] != "inconclusive" or part["reasons"], "inconclusive without a reason"
    assert value is not None or all(face["fake_probability"] is None for face in document["faces"])
    assert ("no_face" in document["reasons"]) <= (not document["faces"]), "no_face, and yet a face"


def check_side(verdict: str, value: float | None, threshold: float) -> None:
    if verdict == "fake":
        assert value is not None
        assert value >= threshold, f"fake at {value}"
    if verdict == "real":
        assert value is not None
        assert value <= 1 - threshold + 1e-6, f"real at {value}"


def check_times(document: Document) -> None:
    for face in document["faces"]:
        assert face["first_s"] <= face["last_s"]
    for frame in document["frames"]:
        assert frame["frame"] < document["video"]["frames"], "a frame after the end"
    check_windows(document)


def check_windows(document: Document) -> None:
    """Windows follow one another, and every scored frame lies in one."""
    windows = document.get("windows", [])
    edges = [edge for window in windows for edge in (window["first_frame"], window["last_frame"])]
    assert edges == sorted(edges), "windows overlap"
    for window in windows:
        assert window["first_s"] <= window["last_s"]
        assert window["frames"] <= window["last_frame"] - window["first_frame"] + 1
    for frame in document["frames"] if windows else ():
        assert any(w["first_frame"] <= frame["frame"] <= w["last_frame"] for w in windows), "in no window"
