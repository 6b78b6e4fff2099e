"""Judge every clip of a labelled split through the command line, and measure the verdicts.

    python -m detector.evaluation --data FOLDER --split val --out benchmarks/results/validation

writes OUT.csv (the figures, with intervals) and OUT_clips.csv (one row a clip, without its name).
"""

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from detector.config import DetectorConfig
from detector.evaluation.machine import machine_facts
from detector.evaluation.measures import MEASURES, Outcome, measured
from detector.result import Document
from detector.training.labels import Clip, read_clips
from detector.weights import find_weights

SUBSETS_WITH_ALL = "all"


def judge(clips: Sequence[Clip], options: list[str]) -> list[Document]:
    """One document a clip, in order, from one run of the command line."""
    command = [sys.executable, "-m", "detector", "analyze", "--json", *options]
    run = subprocess.run(
        [*command, *(str(clip.path) for clip in clips)], stdout=subprocess.PIPE, text=True, check=False
    )
    documents = [json.loads(line) for line in run.stdout.splitlines()]
    if len(documents) != len(clips):
        raise SystemExit(f"The detector ended with status {run.returncode} after {len(documents)} clips.")
    return documents


def outcome(clip: Clip, document: Document) -> Outcome:
    return Outcome(
        fake=clip.fake,
        group=clip.group,
        source=clip.source,
        verdict=document.get("verdict", document.get("error", {}).get("code", "")),
        probability=document.get("fake_probability"),
        seconds=document["timing"]["total_s"] if "timing" in document else float("nan"),
    )


def subsets(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """All clips, FaceForensics++ alone where it is there, and each fake source with the reals beside it."""
    parts = {SUBSETS_WITH_ALL: list(outcomes)}
    forensics = [o for o in outcomes if o.source.startswith("FF++")]
    if forensics:
        parts["FaceForensics++"] = forensics
    reals = [o for o in forensics or outcomes if not o.fake]
    for source in sorted({o.source for o in outcomes if o.fake}):
        parts[source] = reals + [o for o in outcomes if o.fake and o.source == source]
    return parts


def write_figures(path: Path, outcomes: Sequence[Outcome], facts: dict[str, str]) -> None:
    """One row a subset and measure: value, interval, n."""
    header = ["subset", "measure", "value", "low", "high", "clips", "fakes", *facts]
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for name, part in subsets(outcomes).items():
            fakes = sum(o.fake for o in part)
            for measure_name, measure in MEASURES.items():
                result = measured(part, measure)
                values = [f"{v:.4f}" for v in (result.value, result.low, result.high)]
                rows.writerow([name, measure_name, *values, len(part), fakes, *facts.values()])
        seconds = sorted(o.seconds for o in outcomes if o.seconds == o.seconds)
        mean = sum(seconds) / max(1, len(seconds))
        spread = [f"{v:.2f}" for v in (mean, seconds[0], seconds[-1])]
        fakes = sum(o.fake for o in outcomes)
        rows.writerow(["all", "seconds_per_clip", *spread, len(seconds), fakes, *facts.values()])


def write_clips(path: Path, outcomes: Sequence[Outcome]) -> None:
    """One row a clip. Names stay out: the data sets' terms let figures be published, not their files."""
    with path.with_name(path.name + "_clips.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["source", "label", "verdict", "fake_probability", "seconds"])
        for o in sorted(outcomes, key=lambda o: (o.source, o.fake, o.score)):
            label = "fake" if o.fake else "real"
            probability = "" if o.probability is None else o.probability
            rows.writerow([o.source, label, o.verdict, probability, o.seconds])


def write_card(path: Path, outcomes: Sequence[Outcome], facts: dict[str, str]) -> None:
    """Put the figures on the weights' card, in place of older ones of the same split."""
    card = json.loads(path.read_text(encoding="utf-8"))
    card.setdefault("metrics", {})[facts["split"]] = {
        "date": facts["date"],
        **{name: card_entry(part) for name, part in subsets(outcomes).items()},
    }
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def card_entry(part: Sequence[Outcome]) -> dict[str, object]:
    """Value and 95 % interval of each measure."""
    entry: dict[str, object] = {"clips": len(part), "fakes": sum(o.fake for o in part)}
    for name, measure in MEASURES.items():
        result = measured(part, measure)
        entry[name] = [None if v != v else round(v, 4) for v in (result.value, result.low, result.high)]
    return entry


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m detector.evaluation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backbone", default="efficientnet")
    parser.add_argument("--card", action="store_true", help="put the figures on the card of the weights too")
    options = parser.parse_args()
    clips = read_clips(options.data, options.split)
    documents = judge(clips, ["--backbone", options.backbone])
    outcomes = [outcome(clip, document) for clip, document in zip(clips, documents, strict=True)]
    model: dict[str, str] = next((d["model"] for d in documents if "model" in d), {})
    facts = {
        "split": options.split,
        "model": f"{model.get('name')} {model.get('version')}",
        "weights_sha256": str(model.get("sha256")),
        "date": datetime.now(UTC).date().isoformat(),
        **machine_facts(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_figures(options.out, outcomes, facts)
    write_clips(options.out, outcomes)
    if options.card:
        weights = find_weights(DetectorConfig(backbone=options.backbone)).path
        write_card(weights.with_suffix(".json"), outcomes, facts)


if __name__ == "__main__":
    main()
