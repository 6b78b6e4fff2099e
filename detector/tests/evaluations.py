"""The files that an evaluation leaves, with figures that mean nothing: for tests of what reads them."""

import csv
from collections.abc import Sequence
from pathlib import Path

FACTS = {
    "model": "a model",
    "date": "2026-01-02",
    "cpu": "a processor",
    "cores": "2",
    "gpu": "none",
    "truthlens": "0.1.0",
    "commit": "0123456789ab",
}
FIGURE = ["value", "low", "high", "n"]
SIZE = ["clips", "fakes", "groups"]
CLIPS = ["40", "20", "11"]
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9" style="fill:red"/></svg>'
)


def write_evaluation(folder: Path, sha256: str) -> Path:
    """Every file of one split's folder, measured with the weights of that checksum."""

    def write(name: str, head: Sequence[str], *rows: Sequence[str]) -> None:
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*head, "weights_sha256", *FACTS])
            writer.writerows([*row, sha256, *FACTS.values()] for row in rows)

    (folder / "plots").mkdir(parents=True)
    (folder / "plots" / "roc.svg").write_text(SVG, encoding="utf-8")
    write(
        "figures.csv",
        ["by", "subset", "measure", *FIGURE, *SIZE],
        ["all", "all", "auc", "0.8712", "0.7912", "0.9312", "40", *CLIPS],
        ["all", "all", "control_auc_all_three", "0.6312", "0.5212", "0.7412", "40", *CLIPS],
        ["all", "all", "reals_called_fake", "0.0512", "0.0112", "0.1312", "20", *CLIPS],
        ["method", "FaceSwap", "auc", "0.7712", "0.6112", "0.9112", "25", "25", "5", "6"],
        ["all", "all", "seconds_per_clip", "2.5", "1.5", "4.5", "40", *CLIPS],
    )
    write("clips.csv", ["source", "label"], ["FF++-original-c23", "real"], ["FF++-FaceSwap-c23", "fake"])
    write(
        "robustness.csv",
        ["subset", "degradation", "measure", *FIGURE, *SIZE],
        ["all", "crf40", "auc", "0.6612", "0.5512", "0.7612", "40", *CLIPS],
        ["all", "crf40", "auc_drop", "0.2112", "0.1112", "0.3112", "40", *CLIPS],
    )
    write(
        "faces.csv",
        ["people", "measure", *FIGURE, *SIZE],
        ["5", "reals_called_fake", "0.1512", "0.0512", "0.2912", "20", *CLIPS],
        ["5 less 1", "reals_called_fake", "0.1012", "-0.0512", "0.2112", "20", *CLIPS],
    )
    write(
        "stability.csv",
        ["subset", "measure", *FIGURE, *SIZE],
        ["all", "wrong_turned_inconclusive", "0.4412", "0.2212", "0.7112", "9", *CLIPS],
        ["all", "inconclusive_share_with", "0.3712", "0.2812", "0.4812", "40", *CLIPS],
        ["all", "inconclusive_share_change", "0.1712", "0.0812", "0.2812", "40", *CLIPS],
    )
    write(
        "audit.csv",
        ["by", "subset", "measure", *FIGURE],
        ["age", "18-29", "called_fake", "0.0812", "0.0512", "0.1312", "311"],
    )
    write(
        "temporal.csv",
        ["change", "output", "auc", "low", "high", "mean_logit_moved", "clips"],
        ["shuffled", "lstm", "0.7412", "0.6212", "0.8412", "0.3712", "39"],
        ["shuffled", "mean_of_frames", "0.8612", "0.7812", "0.9212", "", "39"],
    )
    return folder
