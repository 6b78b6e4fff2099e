"""From a trained run to weights with a card: choose, calibrate and measure on the tune groups.

    python -m detector.training.calibrate CONFIG --data FOLDER --version 1 [--out FOLDER] [--terms TEXT]

This is also how one's own weights are exported: ``MODEL_PATH`` takes what it writes to ``--out``. Every tune
clip goes through the serving path, as it is and compressed again; pseudo-fakes of the reals among them stand
beside. The LSTM is kept only where it does not lose to the mean of the frames. No clip of the validation
split is opened here.
"""

import argparse
import csv
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from detector.config import DetectorConfig
from detector.engine import engine_for
from detector.errors import AnalysisError
from detector.evaluation.machine import commit
from detector.evaluation.measures import Outcome, Sample, auc, difference, sample_of
from detector.evaluation.reencoding import Quality, reencode
from detector.loading import save_model
from detector.looking import look
from detector.models import MODELS, CnnLstm
from detector.preprocessing import INPUTS
from detector.scoring import all_features, score_tracks
from detector.training.labels import Clip, fit_and_tune, read_clips, terms_by_source
from detector.training.pairs import MADE_BY
from detector.training.processes import worked
from detector.training.scope import limit_of, scope_figures
from detector.training.sequence import JUDGED
from detector.training.settings import TrainConfig, read_config
from detector.training.starts import steps_taken
from detector.training.train import installed
from detector.training.windows import IN_TIME_ALONE
from detector.verdict import too_thin
from detector.weights import WEIGHTS_FOLDER

CONFIGS = Path(__file__).parent / "configs"
QUALITIES = (None, Quality("crf32", 32), Quality("half_crf26", 26, 0.5))
STARTS = {
    "efficientnet_lstm": "EfficientNet-Lite0, ImageNet weights (Apache-2.0)",
    "efficientnet_lite2_lstm": "EfficientNet-Lite2, ImageNet weights (Apache-2.0)",
}
TERMS = (
    "Trained on data gathered for research: some of it may be used for nothing else, and of some no terms "
    "are known. Sources and terms are under training. Not covered by the licence of the code."
)


@dataclass(frozen=True, slots=True)
class Row:
    """Logits of one clip's longest face in one quality, or of one pseudo-fake window or its real twin."""

    source: str
    group: str
    quality: str
    fake: bool
    mean_logit: float
    sequence_logit: float
    bits_per_pixel: float
    face_px: float
    sharpness: float
    strangeness: float


def export(config: TrainConfig, model: CnnLstm, path: Path, card: dict[str, Any]) -> None:
    """Write weights and card; the weights' checksum is put on the card."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_model(model, path)
    how = INPUTS[config.model]
    checked = {
        "name": path.stem,
        "model": config.model,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "input": {"mean": how.mean, "std": how.std, "margin": how.margin},
        **card,
    }
    path.with_suffix(".json").write_text(json.dumps(checked, indent=2) + "\n", encoding="utf-8")


def read_run(config: TrainConfig) -> CnnLstm:
    model = MODELS[config.model]()
    model.load_state_dict(torch.load(config.folder / "model.pt", weights_only=True))
    return model.eval()


def clip_row(job: tuple[Clip, Quality | None, Path]) -> Row | None:
    """One clip through the serving path; None where no face could be judged."""
    clip, quality, weights = job
    config = DetectorConfig(model_path=weights, device="cpu")
    engine = engine_for(config)
    with tempfile.TemporaryDirectory() as folder:
        path = clip.path
        if quality is not None:
            path = Path(folder) / "clip.mp4"
            reencode(clip.path, path, quality)
        try:
            seen = look(path, engine.finder, engine.card.margin, config, lambda *_: None, lambda: False)
        except AnalysisError:
            return None
    features = all_features(engine, seen.sightings, config.batch_size, lambda _: None)
    tracks = score_tracks(engine, seen.sightings, features)
    longest = max(tracks, key=lambda track: len(track.sightings), default=None)
    if longest is None or too_thin(longest.evidence(), inf):
        return None
    logits = [logit for window in longest.windows for logit in window.frame_logits]
    evidence = longest.evidence()
    return Row(
        source=clip.source,
        group=clip.group,
        quality=quality.name if quality else "as_is",
        fake=clip.fake,
        mean_logit=float(np.mean(logits)),
        sequence_logit=longest.logit,
        bits_per_pixel=seen.bits_per_pixel,
        face_px=evidence.quality.face_px,
        sharpness=evidence.quality.sharpness,
        strangeness=evidence.quality.strangeness,
    )


def clip_rows(clips: Sequence[Clip], weights: Path, processes: int) -> list[Row]:
    jobs = [(clip, quality, weights) for clip in clips for quality in QUALITIES]
    rows = worked(clip_row, jobs, processes, "tune clips")
    return [row for row in rows if row is not None]


def window_rows(path: Path) -> list[Row]:
    """Rows of the pseudo-fake windows of tune's reals, each in the group of its real clip."""
    nan = float("nan")
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(
                source=row["kind"],
                group=row["group"],
                quality="window",
                fake=row["fake"] == "1",
                mean_logit=float(row["mean_logit"]),
                sequence_logit=float(row["sequence_logit"]),
                bits_per_pixel=nan,
                face_px=nan,
                sharpness=nan,
                strangeness=nan,
            )
            for row in csv.DictReader(file)
            if row["kind"] != "true"
        ]


def area(rows: Sequence[Row], field: str) -> float:
    return float(roc_auc_score([row.fake for row in rows], [getattr(row, field) for row in rows]))


def gain(rows: Sequence[Row], draws: int = 1000) -> tuple[float, float, float]:
    """AUC of the sequence output less that of the mean, with its 95 % interval over groups."""
    sequence, mean = (sample_by(rows, field) for field in ("sequence_logit", "mean_logit"))
    found = difference(sequence, mean, auc, draws)
    return found.value, found.low, found.high


def sample_by(rows: Sequence[Row], field: str) -> Sample:
    """The rows as a sample whose scores are logits: only their order counts in an AUC."""
    return sample_of([Outcome(r.fake, r.group, r.source, "", getattr(r, field), 0.0) for r in rows])


def platt(rows: Sequence[Row], field: str) -> tuple[float, float]:
    """Scale and offset of Platt scaling, reals and fakes weighing the same: a prior of one in two."""
    logits = np.array([[getattr(row, field)] for row in rows])
    fitted = LogisticRegression(C=1e3, class_weight="balanced").fit(logits, [row.fake for row in rows])
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def tune_figures(clips: Sequence[Row], windows: Sequence[Row]) -> dict[str, Any]:
    """What the LSTM is kept or dropped by. Kinds of which a small set has no window are left out."""
    in_time = [row for row in windows if row.source in IN_TIME_ALONE]
    blends = [row for row in windows if row.source not in IN_TIME_ALONE]
    figures: dict[str, Any] = {}
    for name, rows in {"clips": clips, "pseudo_fakes": blends, "fakes_in_time_alone": in_time}.items():
        if not rows:
            continue
        value, low, high = gain(rows)
        figures[name] = {
            "rows": len(rows),
            "auc_of_mean": round(area(rows, "mean_logit"), 4),
            "auc_of_sequence": round(area(rows, "sequence_logit"), 4),
            "gain": [round(v, 4) for v in (value, low, high)],
        }
    for quality in sorted({row.quality for row in clips}):
        part = [row for row in clips if row.quality == quality]
        figures[f"clips_{quality}"] = {
            "rows": len(part),
            "auc_of_mean": round(area(part, "mean_logit"), 4),
            "auc_of_sequence": round(area(part, "sequence_logit"), 4),
        }
    return figures


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*Row.__dataclass_fields__])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Calibrate a trained detector and write its weights and card."
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", type=Path, default=WEIGHTS_FOLDER, help="in place of the installed weights")
    parser.add_argument("--terms", default=TERMS, help="under which the weights may be used, for the card")
    parser.add_argument("--note", default="", help="what whoever reads the card should know first")
    options = parser.parse_args(arguments)
    config = read_config(options.config)
    config = replace(config, data=options.data or config.data)
    model = read_run(config)
    name = f"{config.weights or config.model}.safetensors"
    raw = config.folder / "candidate" / name
    unscaled = {"scale": 1.0, "offset": 0.0, "label": "none"}
    export(config, model, raw, {"version": "candidate", "calibration": unscaled})

    _, tune = fit_and_tune(read_clips(config.data, "train"))
    clips = clip_rows(tune, raw, config.processes)
    windows = window_rows(config.folder / JUDGED)
    write_rows(config.folder / "tune_rows.csv", [*clips, *windows])
    figures = tune_figures(clips, windows)
    in_time = figures.get("fakes_in_time_alone")
    use_sequence = in_time is not None and in_time["gain"][1] > 0 and figures["clips"]["gain"][0] >= -0.005
    if not use_sequence:
        torch.nn.init.zeros_(model.sequence_output.weight)
        torch.nn.init.zeros_(model.sequence_output.bias)
    field = "sequence_logit" if use_sequence else "mean_logit"
    blends = [row for row in windows if row.source not in IN_TIME_ALONE]
    scale, offset = platt([*clips, *blends], field)
    label = calibration_label(field, len(tune), len(clips), len(blends))
    strangest = limit_of([row.strangeness for row in clips])
    beyond = scope_figures(model, INPUTS[config.model], tune, config.cache, strangest)
    card = {
        "version": options.version,
        "date": datetime.now(UTC).date().isoformat(),
        **({"note": options.note} if options.note else {}),
        "calibration": {
            "scale": round(scale, 5),
            "offset": round(offset, 5),
            "label": label,
            "strangest": strangest,
        },
        "threshold": DetectorConfig().threshold,
        "sequence_length": DetectorConfig().sequence_length,
        "lstm_kept": use_sequence,
        "terms": options.terms,
        "training": training_facts(config),
        "metrics": {"lstm": figures, "out_of_scope": beyond},
    }
    path = options.out / name
    export(config, model, path, card)
    print(json.dumps(card, indent=2))
    print(f"Written, with its card beside it. To use it: MODEL_PATH={path.resolve()}")


def calibration_label(field: str, clips: int, results: int, windows: int) -> str:
    """What the calibration rests on, in words for the card."""
    return (
        f"Platt scaling of {field.replace('_', ' ')} on {clips} tune clips "
        f"in {len(QUALITIES)} qualities ({results} results) and {windows} windows"
    )


def training_facts(config: TrainConfig) -> dict[str, Any]:
    """What the weights were made from, for the card."""
    return {
        "clips": terms_by_source(config.data, "train"),
        "stills": terms_by_source(config.data / "faces.csv", "train"),
        "start": start_of(config),
        "steps": steps_of(config),
        **({} if config.members else {"crops": steps_of(config) * config.batch_pairs * 2}),
        "shares": shares_of(config),
        "seed": config.seed,
        "commit": commit(),
    }


def shares_of(config: TrainConfig) -> dict[str, float]:
    """By which the frame model's pairs were drawn: where they were made beforehand, those of their making."""
    made_by = config.pairs / MADE_BY if config.pairs else None
    if made_by is None or not made_by.exists():
        return asdict(config.shares)
    drawn: dict[str, float] = json.loads(made_by.read_text())["shares"]
    return drawn if config.shares.true_fakes else {**drawn, "true_fakes": 0.0}


def steps_of(config: TrainConfig) -> int:
    """Steps that the run took, or an ensemble's members together."""
    if not config.steps:
        return 0
    return sum(steps_taken(config.runs / name) for name in config.members or (config.name,))


def start_of(config: TrainConfig) -> str:
    """Where the network's first weights come from."""
    if config.members:
        return f"the runs {', '.join(config.members)}, side by side"
    if config.start == "installed":
        return f"the weights of version {installed(config.model).version}"
    if config.start != "imagenet":
        return f"the run {config.start}{learnt(CONFIGS / f'{config.start}.toml')}"
    return STARTS.get(config.model, "random weights")


def learnt(path: Path) -> str:
    """What a run did by its config, as the end of a sentence; nothing where the config is not here."""
    if not path.is_file():
        return ""
    config = read_config(path)
    if config.teacher:
        return f", which learnt to see as {config.teacher} does"
    steps = "" if config.minutes else f" of {config.steps} steps"
    return f"{steps}, which began with {start_of(config)}"


if __name__ == "__main__":
    main()
