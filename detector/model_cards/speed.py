"""What a clip costs, from the speed benchmark and from the evaluation."""

from collections.abc import Iterator

from detector.config import DetectorConfig
from detector.model_cards import words
from detector.model_cards.blocks import Block, Missing, Section, Table, Text, section
from detector.model_cards.card import ModelCard
from detector.model_cards.figures import Results, Row, number_in, read_rows

BENCHMARK = "clip_speed.csv"
FIGURES = {
    ("analysis", "total_s"): "Whole analysis, once the model is loaded",
    ("analysis", "decode_s"): "Of that, decoding",
    ("analysis", "faces_s"): "Of that, finding faces",
    ("analysis", "model_s"): "Of that, the model",
    ("analysis", "explain_s"): "Of that, heatmaps",
    ("analysis", "warm_up_s"): "Loading the model, once",
    ("floor", "total_s"): "Decoding the same frames and one pass over the same crops, alone",
    ("analysis", "peak_mb"): "Peak memory of the process with the model",
    ("web", "web_peak_mb"): "Peak memory of the web process",
}


def speed_section(results: tuple[Results, ...], card: ModelCard) -> Section:
    blocks = [*_benchmark(_benchmark_rows(card)), *_in_evaluation(results)]
    return section("speed", "Speed", blocks or [Missing("Not measured yet.")])


def _benchmark_rows(card: ModelCard) -> list[Row]:
    """Seconds don't depend on the values of the weights, so those of the network do for any of its weights.

    The benchmark of the default network lies beside the models' folders, others in them.
    """
    own = read_rows(card.results / BENCHMARK)
    is_default = card.weights.model == f"{DetectorConfig().backbone}_lstm"
    return own or (read_rows(card.results.parent / BENCHMARK) if is_default else [])


def _benchmark(rows: list[Row]) -> Iterator[Block]:
    found = {(row.get("part", ""), row.get("figure", "")): number_in(row, "value") for row in rows}
    lines = [
        (title, _amount(key[1], value))
        for key, title in FIGURES.items()
        if (value := found.get(key)) is not None
    ]
    if lines:
        yield Table("A clip of 60 s, 1080p, one face", ("What", "Measured"), tuple(lines))
        yield Text(hardware(rows[0]))


def _amount(figure: str, value: float) -> str:
    unit = "s" if figure.endswith("_s") else "MB"
    return f"{value:.1f}{words.NBSP}{unit}" if unit == "s" else f"{value:,.0f}{words.NBSP}{unit}"


def _in_evaluation(results: tuple[Results, ...]) -> Iterator[Block]:
    for part in results:
        if (seconds := part.seconds) and seconds.low is not None and seconds.high is not None:
            yield Text(
                f"Clips of the {words.words_for(words.SPLITS, part.split).lower()} split took "
                f"{seconds.value:.1f}{words.NBSP}s on average, from {seconds.low:.1f} to {seconds.high:.1f}."
            )


def hardware(row: Row) -> str:
    """When, with what and at which commit something was measured, as far as it is known."""
    gpu = row.get("gpu", "")
    pieces = [
        f"on {row['date']}" if row.get("date") else "",
        f"on {row['cores']} cores of {row['cpu']}" if row.get("cores") and row.get("cpu") else "",
        {"none": "without a GPU", "": ""}.get(gpu, f"with {gpu}"),
        f"TruthLens {row['truthlens']}" if row.get("truthlens") else "",
        f"torch {row['torch']}" if row.get("torch") else "",
        f"commit {row['commit']}" if row.get("commit") else "",
    ]
    known = ", ".join(filter(None, pieces))
    return f"Measured {known}." if known else ""
