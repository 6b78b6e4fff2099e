"""Everything that one model card says, in the order in which it is read."""

from collections.abc import Iterator

from detector.model_cards import measured, words
from detector.model_cards.blocks import (
    Block,
    Fact,
    Facts,
    Missing,
    Plot,
    Points,
    Section,
    Table,
    Text,
    section,
)
from detector.model_cards.card import ModelCard, Source, method_of
from detector.model_cards.figures import Results, read_results
from detector.model_cards.speed import speed_section

IN_SHORT = (
    "auc",
    "control_auc_all_three",
    "accuracy_of_decided",
    "inconclusive_share",
    "reals_called_fake",
    "fakes_called_fake",
)


def sections_of(card: ModelCard) -> tuple[Section, ...]:
    results = read_results(card)
    return (
        section("summary", "In short", _summary(card, results)),
        section("limits", "How to read it", [Points(words.HOW_TO_READ)]),
        _unseen_section(card, results),
        section("model", "What it is", _model(card)),
        *(measured.figures_section(part, card) for part in results),
        measured.plots_section(results),
        measured.robustness_section(results),
        measured.faces_section(results),
        measured.stability_section(results),
        measured.time_section(results, card),
        measured.audit_section(results),
        speed_section(results, card),
        measured.people_section(results),
        section("data", "Training data and terms", _data(card)),
        section("making", "How it was made", _making(card)),
    )


def unseen_of(card: ModelCard) -> Section:
    """What the weights have not seen."""
    return _unseen_section(card, read_results(card))


def _unseen_section(card: ModelCard, results: tuple[Results, ...]) -> Section:
    return section("unseen", "What it has not seen", _unseen(card, results))


def plots_of(card: ModelCard) -> tuple[Plot, ...]:
    """The plots among them."""
    shown = measured.plots_section(read_results(card)).blocks
    return tuple(block for block in shown if isinstance(block, Plot))


def _summary(card: ModelCard, results: tuple[Results, ...]) -> Iterator[Block]:
    if not card.shipped:
        yield Text(
            "These weights did not come with TruthLens: whoever runs this site put them here. All figures "
            "below are those of their own card and evaluation."
        )
    note = card.fields.text("note")
    if note:
        yield Text(note)
    everything = next((part.everything for part in results if part.split == "val"), None)
    if everything is None:
        yield Missing(
            "How well it works on the validation split has not been measured yet. Treat its verdicts as "
            "untested."
        )
        return
    found = everything.figures
    size = words.clips_of(everything.clips, everything.fakes)
    lines = [f"Measured on the validation split{f' ({size})' if size else ''}; in brackets, 95 % intervals."]
    lines += [
        f"{words.title_of(name)}: {words.shown(found[name], name)}." for name in IN_SHORT if name in found
    ]
    if card.fields.flag("lstm_kept") is False:
        lines.append("Its LSTM adds nothing yet and is switched off: a score is the mean over the frames.")
    yield Points(tuple(lines))


def _unseen(card: ModelCard, results: tuple[Results, ...]) -> Iterator[Block]:
    yield Text("No model of TruthLens looks at:")
    yield Points(words.NOT_LOOKED_AT)
    if not card.methods:
        yield Missing("Its card does not name the manipulations that it was trained on.")
        return
    yield Text(f"FaceForensics++ manipulations in its training: {', '.join(card.methods)}.")
    for part in results:
        for method, fakes in untrained(part, card):
            split = measured.split_title(part.split).lower()
            yield Text(f"Measured though not in its training: {method} ({split} split, fake clips: {fakes}).")
    if card.shipped and set(card.methods) <= words.KNOWN_METHODS:
        yield Text("Never seen in training, and not measured:")
        yield Points(words.NOT_SEEN)
    else:
        yield Text("A kind of manipulation that none of its training sources holds it has never seen.")
    beyond = card.fields.part("metrics").part("out_of_scope")
    found = [(name, beyond.number(name)) for name in words.STRANGE]
    shares = [f"{words.STRANGE[name]}, {words.share(value)}" for name, value in found if value is not None]
    if shares:
        yield Text(f"{words.OUT_OF_SCOPE} {'; '.join(shares)}.")


def untrained(part: Results, card: ModelCard) -> Iterator[tuple[str, int]]:
    """Methods that were measured but not trained on, with their fakes."""
    for group in part.figures:
        method = group.name if group.by == "method" else method_of(group.name) if not group.by else None
        if method and group.fakes and method not in card.methods:
            yield method, group.fakes


def _model(card: ModelCard) -> Iterator[Block]:
    weights, fields = card.weights, card.fields
    yield Facts(
        (
            Fact("Name", weights.name),
            Fact("Version", weights.version),
            Fact("Date", fields.text("date") or "not on the card"),
            Fact("Network", words.NETWORKS.get(weights.model, weights.model)),
            Fact("Input", f"face crops of 224 × 224 pixels, RGB; mean {_triple(weights.mean)}, spread "
                 f"{_triple(weights.std)} on the scale 0 to 1"),
            Fact("Sequence", _sequence(card)),
            Fact("Calibration", weights.calibration.label),
            Fact("Verdicts", _thresholds(fields.number("threshold"))),
            Fact("File", f"{card.size_bytes:,} bytes ({card.size_bytes / 2**20:.1f} MiB)"),
            Fact("SHA-256", weights.sha256, code=True),
            Fact("Terms", fields.text("terms") or "not stated on the card"),
        )
    )  # fmt: skip
    yield Text(words.HOW_IT_WORKS)


def _triple(values: tuple[float, float, float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _sequence(card: ModelCard) -> str:
    length = card.fields.number("sequence_length")
    frames = f"{length:.0f} consecutive frames a window" if length else "length not on the card"
    kept = {True: "the LSTM is in use", False: "the LSTM is switched off", None: ""}[
        card.fields.flag("lstm_kept")
    ]
    return "; ".join(filter(None, (frames, kept)))


def _thresholds(threshold: float | None) -> str:
    if threshold is None:
        return "thresholds not on the card"
    high, low = words.share(threshold), words.share(1 - threshold)
    return f"fake from {high}, real up to {low}, between them inconclusive; a site may set other limits"


def _data(card: ModelCard) -> Iterator[Block]:
    clips, stills = card.sources("clips"), card.sources("stills")
    if not clips and not stills:
        yield Missing("Its card does not say what it was trained on.")
        return
    yield Text(
        "No file of these sources is part of TruthLens. The terms are as noted when the files were gathered; "
        "“repo” is the public repository that they were found in."
        if card.shipped
        else "As its card states them."
    )
    yield Text(
        "About a fifth of the clips, by groups that share people or scenes, were not learnt from: the model "
        "was chosen and calibrated on them (the tune split)."
    )
    for title, sources in (("Clips", clips), ("Still faces, for blends", stills)):
        if sources:
            yield _source_table(title, sources)


def _source_table(title: str, sources: tuple[Source, ...]) -> Table:
    total = sum(source.files for source in sources)
    rows = tuple((source.name, f"{source.files:,}", source.terms) for source in sources)
    return Table(f"{title}, {total:,} in all", ("Source", "Files", "Terms"), rows, words=True)


def _making(card: ModelCard) -> Iterator[Block]:
    training = card.training
    if not training.content:
        yield Missing("Its card does not say how it was made.")
        return
    rows = [
        Fact("Start", training.text("start") or "not on the card"),
        Fact("Steps", _whole(training.number("steps"))),
        Fact("Face crops seen", _whole(training.number("crops"))),
        *(
            Fact(words.words_for(words.SHARE_WORDS, name), words.share(value))
            for name in training.part("shares").content
            if (value := training.part("shares").number(name)) is not None
        ),
        Fact("Seed", _whole(training.number("seed"))),
        Fact("Commit", training.text("commit") or "not on the card", code=True),
    ]
    yield Facts(tuple(rows))


def _whole(value: float | None) -> str:
    return "not on the card" if value is None else f"{value:,.0f}"
