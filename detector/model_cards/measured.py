"""The sections of a model card that hold figures. What was not measured is said to be so."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from detector.model_cards import words
from detector.model_cards.blocks import Block, Missing, Plot, Section, Table, Text, section
from detector.model_cards.card import ModelCard
from detector.model_cards.fields import Fields
from detector.model_cards.figures import Change, Figure, Group, Results, figure_on_card
from detector.model_cards.speed import hardware

NOT_YET = Missing("Not measured yet.")
MAIN = ("all", "set")
IN_PARTS = (
    "auc",
    "control_auc_all_three",
    "accuracy_of_decided",
    "inconclusive_share",
    "reals_called_fake",
    "fakes_called_fake",
)
UNDER_CHANGE = (
    "auc",
    "auc_drop",
    "control_auc_all_three",
    "accuracy_of_decided",
    "inconclusive_share",
    "coverage",
    "reals_called_fake",
)
CHECKED = ("accuracy_of_decided", "inconclusive_share", "reals_called_fake", "fakes_called_real")
AUDIT = ("called_fake", "inconclusive", "no_face_found", "above_half")


def split_title(split: str) -> str:
    return words.SPLITS.get(split) or f"Split {split}"


def per_split(
    results: Iterable[Results], build: Callable[[Results], Iterable[Block]], intro: str = ""
) -> list[Block]:
    """The blocks of every split after the introduction, or that nothing was measured."""
    blocks = [block for part in results for block in build(part)]
    if not blocks:
        return [NOT_YET]
    return [Text(intro), *blocks] if intro else blocks


def column_table(
    caption: str, first: str, groups: Sequence[Group], name: Callable[[Group], str], measures: Sequence[str]
) -> Table:
    """A row a group and a column a measure that any of them has; n stands in its own column."""
    there = [measure for measure in measures if any(measure in group.figures for group in groups)]
    sized = any(group.clips is not None for group in groups)
    head = (first, *(["Clips (fake)"] if sized else []), *(words.SHORT[measure] for measure in there))
    rows = tuple(
        (
            name(group),
            *(
                [f"{group.clips}{words.NBSP}({group.fakes})" if group.clips is not None else ""]
                if sized
                else []
            ),
            *(words.shown(group.figures.get(measure), measure) for measure in there),
        )
        for group in groups
    )
    return Table(caption, head, rows)


# How well it works


def figures_section(part: Results, card: ModelCard) -> Section:
    title = f"Figures: {split_title(part.split).lower()} split"
    return section(f"figures-{part.split}", title, _figures(part, card))


def _figures(part: Results, card: ModelCard) -> Iterator[Block]:
    if card.shipped and part.split in words.SPLIT_WORDS:
        yield Text(words.SPLIT_WORDS[part.split])
    if not part.figures:
        yield NOT_YET
        return
    main = [group for group in part.figures if group.by in MAIN]
    rest = [group for group in part.figures if group.by not in MAIN]
    if main:
        yield _main_table(main)
    for by in dict.fromkeys(group.by for group in rest):
        groups = [group for group in rest if group.by == by]
        name = by or "data set and method"
        yield column_table(f"By {name}", name.capitalize(), groups, lambda g: g.name, IN_PARTS)
    if not any("control_auc_all_three" in group.figures for group in part.figures):
        yield Missing("The control (what blur, face size and bitrate alone reach) is not measured yet.")
    if made_with := hardware(part.made_with):
        yield Text(made_with)


def _main_table(groups: Sequence[Group]) -> Table:
    """A row a measure and a column a group, each cell with its own n."""
    names = dict.fromkeys(name for group in groups for name in group.figures)
    ordered = [name for name in words.MEASURES if name in names]
    ordered += [name for name in names if name not in words.MEASURES and name != "seconds_per_clip"]
    rows = tuple(
        (words.title_of(name), *(words.shown_with_n(group.figures.get(name), name) for group in groups))
        for name in ordered
    )
    return Table("All clips, and each data set", ("Measure", *(_with_size(group) for group in groups)), rows)


def _with_size(group: Group) -> str:
    name = "All clips" if group.name == "all" else group.name
    size = words.clips_of(group.clips, group.fakes)
    groups = f", {group.groups} groups" if group.groups is not None else ""
    return f"{name} ({size}{groups})" if size else name


# Plots


def plots_section(results: Iterable[Results]) -> Section:
    return section("plots", "Plots", per_split(results, _plots))


def _plots(part: Results) -> Iterator[Block]:
    for path in part.plots:
        title, alt = words.PLOTS[path.stem]
        area = part.everything.figures.get("auc") if part.everything else None
        told = f" AUC {words.shown(area, 'auc')}." if area and path.stem == "roc" else ""
        split = split_title(part.split).lower()
        wide = path.stem in words.WIDE_PLOTS
        yield Plot(f"{title} ({split} split)", f"{alt}; {split} split.{told}", part.split, path, wide)


# Under changes


def robustness_section(results: Iterable[Results]) -> Section:
    title = "Compression, blur and noise"
    return section("robustness", title, per_split(results, _robustness))


def _robustness(part: Results) -> Iterator[Block]:
    for subset in dict.fromkeys(group.by for group in part.robustness):
        groups = [group for group in part.robustness if group.by == subset]
        clips = "all clips" if subset == "all" else subset
        yield column_table(
            f"{split_title(part.split)} split, {clips}",
            "The same clips",
            groups,
            lambda group: words.words_for(words.DEGRADATIONS, group.name),
            UNDER_CHANGE,
        )


def faces_section(results: Iterable[Results]) -> Section:
    title = "Several faces in one picture"
    return section("faces", title, per_split(results, _faces, words.SEVERAL_FACES))


def _faces(part: Results) -> Iterator[Block]:
    if part.faces:
        yield _by_measure(f"{split_title(part.split)} split", "Measure", part.faces, words.PEOPLE)


def _by_measure(caption: str, first: str, groups: Sequence[Group], names: dict[str, str]) -> Table:
    measures = dict.fromkeys(measure for group in groups for measure in group.figures)
    rows = tuple(
        (
            words.title_of(name),
            *(words.shown(g.figures.get(name), name, is_change="less" in g.name) for g in groups),
        )
        for name in measures
    )
    return Table(caption, (first, *(words.words_for(names, group.name) for group in groups)), rows)


def stability_section(results: Iterable[Results]) -> Section:
    title = "The stability check"
    return section("stability", title, per_split(results, _stability, words.STABILITY))


def _stability(part: Results) -> Iterator[Block]:
    for group in part.stability:
        subset = "all clips" if group.name == "all" else group.name
        yield Table(
            f"{split_title(part.split)} split, {subset}: verdicts taken back",
            ("Verdicts", "Share"),
            tuple(
                (words.title_of(name), words.shown_with_n(group.figures[name], name))
                for name in ("wrong_turned_inconclusive", "right_turned_inconclusive")
                if name in group.figures
            ),
        )
        yield _before_and_after(f"{split_title(part.split)} split, {subset}", group.figures)


def _before_and_after(caption: str, figures: dict[str, Figure]) -> Table:
    kinds = ("without", "with", "change")
    rows = tuple(
        (
            words.title_of(name),
            *(words.shown(figures.get(f"{name}_{k}"), name, is_change=k == "change") for k in kinds),
        )
        for name in CHECKED
        if any(f"{name}_{kind}" in figures for kind in kinds)
    )
    return Table(caption, ("Measure", "Without the check", "With it", "Change"), rows)


# Time


def time_section(results: Iterable[Results], card: ModelCard) -> Section:
    return section("time", "Does time matter?", _time(results, card))


def _time(results: Iterable[Results], card: ModelCard) -> Iterator[Block]:
    kept = card.fields.flag("lstm_kept")
    if kept is not None:
        yield Text(
            "The LSTM is in use: it did not lose to the mean of the frames where they were compared."
            if kept
            else "The LSTM is switched off: it was no better than the mean of the frames. A score is that "
            "mean, and the order of the frames can’t change it."
        )
    compared = _compared(card.fields.part("metrics"))
    if compared:
        head = ("Compared on", "Clips or windows", "AUC of the mean", "AUC with the LSTM", "Gain")
        yield Table("As trained, before anything was switched off", head, compared)
    changes: list[Block] = [_change_table(part) for part in results if part.changes]
    yield from changes or [Missing("With frames shuffled, frozen or replaced: not measured yet.")]


def _compared(metrics: Fields) -> tuple[tuple[str, ...], ...]:
    """What calibration found, wherever on the card it stands."""
    return tuple(
        (
            words.words_for(words.COMPARED, name),
            entry.text("rows"),
            *(words.decimals(entry.number(f"auc_of_{kind}") or 0.0) for kind in ("mean", "sequence")),
            words.shown(figure_on_card(entry, "gain"), "auc", is_change=True),
        )
        for _, split in metrics.parts()
        for name, entry in split.parts()
        if entry.number("auc_of_mean") is not None and entry.number("auc_of_sequence") is not None
    )


def _change_table(part: Results) -> Table:
    head = ("Frames of each window", "AUC with the LSTM", "AUC of the mean", "Logit moved by", "Clips")
    return Table(
        f"{split_title(part.split)} split: the same clips with their frames changed",
        head,
        tuple(_change_row(change) for change in part.changes),
    )


def _change_row(change: Change) -> tuple[str, ...]:
    return (
        words.words_for(words.CHANGES, change.name),
        words.shown(change.lstm, "auc"),
        words.shown(change.mean, "auc"),
        "–" if change.moved is None else words.decimals(change.moved),
        "–" if change.clips is None else str(change.clips),
    )


# People


def audit_section(results: Iterable[Results]) -> Section:
    title = "False alarms by age, sex and group"
    return section("audit", title, per_split(results, _audit, words.AUDIT))


def _audit(part: Results) -> Iterator[Block]:
    for by in dict.fromkeys(group.by for group in part.audit):
        groups = [group for group in part.audit if group.by == by]
        caption = f"{split_title(part.split)} split. {words.words_for(words.AUDITED, by)}"
        yield _audit_table(caption, groups)


def _audit_table(caption: str, groups: Sequence[Group]) -> Table:
    rows = tuple(
        (
            "All" if group.name == "all" else group.name,
            str(next((figure.n for figure in group.figures.values() if figure.n is not None), "–")),
            *(words.shown(group.figures.get(name), name) for name in AUDIT),
        )
        for group in groups
    )
    return Table(caption, ("Who", "Stills", *(words.title_of(name) for name in AUDIT)), rows)


def people_section(results: Iterable[Results]) -> Section:
    return section("tested", "Who it was tested on", per_split(results, _people))


def _people(part: Results) -> Iterator[Block]:
    everything = part.everything
    if everything and everything.clips is not None:
        groups = f" in {everything.groups} groups of people or scenes" if everything.groups else ""
        size = words.clips_of(everything.clips, everything.fakes)
        yield Text(f"{split_title(part.split)} split: {size}{groups}.")
    if part.sources:
        rows = tuple((source.name, str(source.reals), str(source.fakes)) for source in part.sources)
        yield Table(
            f"{split_title(part.split)} split, by source", ("Source", "Real clips", "Fake clips"), rows
        )
    if part.audit:
        seen = [group.name for group in part.audit if group.by in ("age", "sex", "group")]
        yield Text(f"The stills of the audit show, as their source says: {', '.join(seen)}.")
