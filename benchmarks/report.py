"""The figures that the README quotes, written into it from the result files.

    python -m benchmarks.report [--check]

replaces what stands between the two marks; with --check it only says whether the README is up to date.
"""

import argparse
import csv
import sys
from pathlib import Path

from detector import BACKBONES, DetectorConfig, WeightsCard, find_weights

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- figures: begin (python -m benchmarks.report) -->", "<!-- figures: end -->"
MEASURES = {
    "auc": "AUC (0.5 is a coin, 1 is perfect)",
    "control_auc_all_three": "AUC of blur, face size and bitrate alone",
    "accuracy_of_decided": "Right, of the clips given a verdict",
    "inconclusive_share": "Left inconclusive",
    "reals_called_fake": "Real clips called fake",
    "accuracy_at_half": "Right side of one half, all clips",
    "equal_error_rate": "Equal error rate",
    "coverage": "Clips with a probability",
    "calibration_error": "Calibration error",
}
FEWEST_FAKES = 5
"""Methods with fewer fakes are in the result files alone."""

Row = dict[str, str]


def read(name: str) -> list[Row]:
    with (RESULTS / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def validation_table(rows: list[Row]) -> list[str]:
    """One line a measure that was measured, one column a subset."""
    subsets = [name for name in ("FaceForensics++", "all") if any(r["subset"] == name for r in rows)]
    found = {(row["subset"], row["measure"]): row for row in rows}
    titles = {name: subset_title(name, found[name, "auc"]) for name in subsets}
    lines = ["| Validation split | " + " | ".join(titles[name] for name in subsets) + " |"]
    lines.append("|---" * (len(subsets) + 1) + "|")
    for measure, title in MEASURES.items():
        cells = [interval(found.get((name, measure))) for name in subsets]
        if not any(cells):
            continue
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def subset_title(name: str, row: Row) -> str:
    title = "FaceForensics++ c23" if name == "FaceForensics++" else "With real clips of other sources"
    return f"{title} ({row['clips']} clips, {row['fakes']} fake)"


def method_line(rows: list[Row]) -> str:
    """AUC for each method with more than a handful of fakes."""
    found = [
        f"{row['subset']} {float(row['value']):.2f}"
        for row in rows
        if row["measure"] == "auc" and row["by"] == "method" and int(row["fakes"]) >= FEWEST_FAKES
    ]
    return f"By method, AUC: {', '.join(found)}."


def interval(row: Row | None) -> str:
    """Empty where it was not measured."""
    if row is None:
        return ""
    value, low, high = (float(row[key]) for key in ("value", "low", "high"))
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def speed_lines(rows: list[Row]) -> list[str]:
    value = {(row["part"], row["figure"]): float(row["value"]) for row in rows}
    machine = rows[0]
    memory = value["analysis", "peak_mb"]
    total, ratio = value["analysis", "total_s"], value["floor", "analysis_over_floor"]
    hardware = f"{machine['cores']} cores of {machine['cpu']}, no GPU"
    return [
        f"A 60 s 1080p clip with one face takes {total:.1f} s once the model is loaded, {ratio:.1f} times",
        "what decoding the same frames and one pass over the same crops take alone",
        f"({hardware}). The process that holds the model peaks",
        f"at {memory / 1000:.1f} GB, the web process at {value['web', 'web_peak_mb']:.0f} MB.",
    ]


def shipped(backbone: str) -> tuple[WeightsCard, list[Row]]:
    """The card of shipped weights and their figures on validation."""
    card = find_weights(DetectorConfig(backbone=backbone))
    figures = f"{backbone}/val/figures.csv"
    validation = read(figures)
    if any(row["weights_sha256"] != card.sha256 for row in validation):
        sys.exit(f"{figures} was measured with other weights than those that are shipped.")
    return card, validation


def second_line(backbone: str) -> list[str]:
    """What another shipped model is worth on the same clips."""
    card, validation = shipped(backbone)
    found = {(row["subset"], row["measure"]): row for row in validation}
    areas = [interval(found[subset, "auc"]) for subset in ("FaceForensics++", "all")]
    right, left = (
        float(found["all", name]["value"]) for name in ("accuracy_of_decided", "inconclusive_share")
    )
    return [
        f"The second model, `{card.name}` version {card.version}, for comparison: AUC {areas[0]} on the",
        f"FaceForensics++ clips, {areas[1]} on all; {right:.2f} right of the clips given a verdict,",
        f"{left:.2f} left inconclusive.",
    ]


def block() -> str:
    default = DetectorConfig().backbone
    card, validation = shipped(default)
    lines = [
        f"Model `{card.name}` version {card.version}, weights {card.sha256[:12]}. In brackets: 95 %",
        "intervals over groups of clips that share people or scenes.",
        "",
        *validation_table(validation),
        "",
        method_line(validation),
        "",
        *(line for backbone in BACKBONES if backbone != default for line in second_line(backbone)),
        "",
        *speed_lines(read("clip_speed.csv")),
    ]
    return "\n".join(lines)


def replaced(text: str) -> str:
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{block()}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    readme = ROOT / "README.md"
    old = readme.read_text(encoding="utf-8")
    new = replaced(old)
    if options.check:
        sys.exit("README.md does not show the measured figures." if new != old else 0)
    readme.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
