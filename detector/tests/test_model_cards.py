import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.model_cards import outdated
from detector import DetectorConfig
from detector.model_cards import ModelCard, find_model_cards, plots_of, sections_of
from detector.model_cards.markdown import markdown_of
from detector.model_cards.words import NETWORKS
from detector.models import MODELS
from detector.tests.evaluations import write_evaluation
from detector.tests.tiny import write_tiny_weights
from detector.weights import WEIGHTS_FOLDER

NOT_YET = "Not measured yet."
MEASURED = ("plots", "robustness", "faces", "stability", "audit")


def shipped(results: Path) -> ModelCard:
    return find_model_cards(DetectorConfig(), results)[0]


def own(folder: Path, **fields: Any) -> ModelCard:
    """A tiny model at MODEL_PATH with these fields on its card."""
    weights = write_tiny_weights(folder)
    card = weights.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | fields), encoding="utf-8")
    return find_model_cards(DetectorConfig(model_path=weights), folder / "results")[0]


def text_of(card: ModelCard, key: str = "") -> str:
    """What a card's file says, or one section of it, with plain spaces."""
    titles = {section.key: section.title for section in sections_of(card)}
    text = markdown_of(card, card.results).replace("\u00a0", " ")
    return text.split(f"## {titles[key]}\n")[1].split("\n## ")[0] if key else text


def test_the_files_in_docs_say_what_cards_and_results_say() -> None:
    assert outdated() == []


def test_reading_cards_needs_the_standard_library_alone() -> None:
    code = (
        "import sys, pathlib, detector.model_cards as m; from detector import DetectorConfig\n"
        "[m.sections_of(card) for card in m.find_model_cards(DetectorConfig(), pathlib.Path('nowhere'))]\n"
        "sys.exit(bool({'torch', 'numpy', 'django'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_network_has_its_description() -> None:
    assert NETWORKS.keys() == MODELS.keys()


def test_the_card_states_the_file_it_is_about(tmp_path: Path) -> None:
    card = shipped(tmp_path)
    told = text_of(card, "model")
    assert card.weights.sha256 in told
    assert f"{(WEIGHTS_FOLDER / 'efficientnet_lstm.safetensors').stat().st_size:,} bytes" in told


def test_sources_are_listed_with_their_terms(tmp_path: Path) -> None:
    clips = {"A talk": {"files": 1200, "terms": "research only"}, "A vlog": {"files": 3}}
    told = text_of(own(tmp_path, training={"clips": clips, "seed": 7}), "data")
    assert "Clips, 1,203 in all" in told
    assert "| A talk | 1,200 | research only |" in told
    assert "| A vlog | 3 | not stated |" in told


def test_what_was_not_measured_is_said_to_be_so(tmp_path: Path) -> None:
    card = own(tmp_path)
    assert "has not been measured yet. Treat its verdicts as untested." in text_of(card, "summary")
    for key in ("figures-val", "figures-tune", *MEASURED):
        assert NOT_YET in text_of(card, key)
    assert "shuffled, frozen or replaced: not measured yet" in text_of(card, "time")
    assert "does not say what it was trained on" in text_of(card, "data")
    assert "does not say how it was made" in text_of(card, "making")


def test_figures_of_an_evaluation_are_shown_with_interval_and_n(tmp_path: Path) -> None:
    card = shipped(tmp_path)
    write_evaluation(card.results / "val", card.weights.sha256)
    figures = text_of(card, "figures-val")
    assert "0.87 (0.79 to 0.93), n 40" in figures
    assert "0.63 (0.52 to 0.74), n 40" in figures
    assert "All clips (40 clips, 20 fake, 11 groups)" in figures
    assert "| FaceSwap | 25 (5) | 0.77 (0.61 to 0.91) |" in figures
    assert "Measured on 2026-01-02, on 2 cores of a processor" in figures
    assert "0.87 (0.79 to 0.93)" in text_of(card, "summary")


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("robustness", "| H.264 at CRF 40 | 40 (20) | 0.66 (0.55 to 0.76) | 0.21 (0.11 to 0.31) |"),
        ("faces", "| Real clips called fake | 15 % (5 to 29 %) | +10 points (−5 to 21) |"),
        ("stability", "| Wrong verdicts that the check takes back | 44 % (22 to 71 %), n 9 |"),
        ("stability", "| Left inconclusive | – | 37 % (28 to 48 %) | +17 points (8 to 28) |"),
        ("audit", "| 18-29 | 311 | 8 % (5 to 13 %) | – | – | – |"),
        ("time", "| Frames shuffled | 0.74 (0.62 to 0.84) | 0.86 (0.78 to 0.92) | 0.37 | 39 |"),
        ("tested", "| FF++-FaceSwap-c23 | 0 | 1 |"),
        ("speed", "took 2.5 s on average, from 1.5 to 4.5"),
        ("plots", "![Curve of fakes found against false alarms"),
    ],
)
def test_each_part_of_an_evaluation_has_its_section(tmp_path: Path, key: str, row: str) -> None:
    card = shipped(tmp_path)
    write_evaluation(card.results / "val", card.weights.sha256)
    told = text_of(card, key)
    assert row in told
    assert NOT_YET not in told


def test_figures_of_other_weights_are_not_shown(tmp_path: Path) -> None:
    card = own(tmp_path)
    write_evaluation(card.results / "val", "0" * 64)
    assert "0.87 (0.79 to 0.93)" not in text_of(card)
    assert plots_of(card) == ()
    for key in ("figures-val", *MEASURED):
        assert NOT_YET in text_of(card, key)


def test_a_card_says_how_well_it_knows_what_it_does_not_know(tmp_path: Path) -> None:
    card = own(
        tmp_path,
        training={"clips": {"FF++-Deepfakes-c23": {"clips": 3}}},
        metrics={"out_of_scope": {"pencil": 0.42, "pictures_without_faces": 0.9}},
    )
    told = text_of(card, "unseen")
    assert "parts of pictures without a face, 90 %; faces drawn in pencil by a filter, 42 %." in told
    assert "painted" not in told


def test_a_trial_with_fewer_clips_is_not_shown(tmp_path: Path) -> None:
    card = shipped(tmp_path)
    write_evaluation(card.results / "val-limit-8", card.weights.sha256)
    assert "0.87 (0.79 to 0.93)" not in text_of(card)


def test_weights_at_model_path_show_the_figures_of_their_card(tmp_path: Path) -> None:
    everything = {"clips": 12, "fakes": 5, "auc": [0.7123, 0.6123, 0.8123], "coverage": [1.0, 1.0, 1.0]}
    degraded = {"crf32": {"auc": [0.6423, 0.5323, 0.7423]}}
    card = own(tmp_path, metrics={"val": {"all": everything, "degraded": degraded}})
    assert (card.slug, card.in_use, card.shipped) == ("tiny_lstm", True, False)
    assert "did not come with TruthLens" in text_of(card, "summary")
    figures = text_of(card, "figures-val")
    assert "All clips (12 clips, 5 fake)" in figures
    assert "0.71 (0.61 to 0.81)" in figures
    assert "The control (what blur, face size and bitrate alone reach) is not measured yet." in figures
    assert "| H.264 at CRF 32 | 0.64 (0.53 to 0.74) |" in text_of(card, "robustness")


def test_an_interval_without_width_is_not_shown(tmp_path: Path) -> None:
    everything = {"auc": [0.7, 0.6, 0.8], "reals_called_fake": [0.0, 0.0, 0.0]}
    told = text_of(own(tmp_path, metrics={"val": {"all": everything}}), "figures-val")
    assert "| Real clips called fake | 0 % |" in told


@pytest.mark.parametrize(("kept", "words"), [(True, "LSTM is in use"), (False, "LSTM is switched off")])
def test_the_lstm_is_compared_with_the_mean(tmp_path: Path, kept: bool, words: str) -> None:
    tune = {"clips": {"rows": 9, "auc_of_mean": 0.81, "auc_of_sequence": 0.86, "gain": [0.05, -0.01, 0.09]}}
    told = text_of(own(tmp_path, lstm_kept=kept, metrics={"tune": tune}), "time")
    assert words in told
    assert "| 9 | 0.81 | 0.86 | +0.05 (−0.01 to 0.09) |" in told


@pytest.mark.parametrize(
    "fields",
    [
        {"metrics": "none", "training": ["x"], "threshold": "high", "terms": None},
        {"metrics": {"val": {"all": {"auc": "good"}, "degraded": 3}}, "training": {"clips": {"a": 1}}},
        {"metrics": {"val": {"all": {"auc": [None, 0.1, 0.2]}}}, "lstm_kept": "yes", "sequence_length": {}},
        {"metrics": {"tune": {"clips": {"auc_of_mean": float("nan"), "auc_of_sequence": 1}}}},
    ],
)
def test_a_card_with_fields_of_other_kinds_reads_as_if_they_were_missing(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    card = own(tmp_path, **fields)
    assert NOT_YET in text_of(card, "figures-val")
    assert "nan" not in text_of(card, "time").lower()


def test_results_that_can_not_be_read_are_no_figures(tmp_path: Path) -> None:
    card = own(tmp_path)
    for content in (b"\xff\xfe\x00", b"", b"by,subset\nall", b"by,subset,measure,value\nall,all,auc,high\n"):
        folder = card.results / "val"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "figures.csv").write_bytes(content)
        assert NOT_YET in text_of(card, "figures-val")


def test_names_from_a_card_are_safe_in_addresses_and_in_markdown(tmp_path: Path) -> None:
    card = own(tmp_path, name="../my | <b>model</b>", terms="a|b\n# c")
    assert card.slug == "my-b-model-b"
    told = text_of(card)
    assert told.startswith("# ../my \\| \\<b\\>model\\</b\\>, version")
    assert "| Terms | a\\|b # c |" in told


def test_weights_of_the_same_name_get_different_addresses(tmp_path: Path) -> None:
    weights = write_tiny_weights(tmp_path)
    card = weights.with_suffix(".json")
    fields = json.loads(card.read_text()) | {"name": "efficientnet_lstm"}
    card.write_text(json.dumps(fields), encoding="utf-8")
    cards = find_model_cards(DetectorConfig(model_path=weights), tmp_path)
    assert cards[0].slug == f"efficientnet_lstm-{fields['sha256'][:12]}"
    assert "efficientnet_lstm" in [card.slug for card in cards[1:]]


def test_without_usable_weights_at_model_path_only_the_shipped_ones_are_listed(tmp_path: Path) -> None:
    cards = find_model_cards(DetectorConfig(model_path=tmp_path / "none.safetensors"), tmp_path)
    assert cards
    assert all(card.shipped and not card.in_use for card in cards)


def test_what_a_card_notes_is_read_first(tmp_path: Path) -> None:
    card = own(tmp_path, note="A second look.")
    assert "A second look." in text_of(card, "summary")
    weaker = next(card for card in find_model_cards(DetectorConfig(), tmp_path) if not card.in_use)
    assert "weaker than the default model" in text_of(weaker, "summary")
