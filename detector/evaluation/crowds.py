"""Does the number of people on screen change a verdict? Five clips side by side, and each alone.

Alone, a clip is put into the same cell and encoded in the same way, so that nothing but the company differs.
Frames are shown in step, and a tiled clip ends with its shortest member.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from detector.evaluation.control import controls
from detector.evaluation.judging import Job, Judge
from detector.evaluation.measures import (
    Measure,
    Measured,
    Outcome,
    auc,
    coverage,
    detection_rate,
    difference,
    faces_judged,
    false_alarm_rate,
    inconclusive_share,
    measured_in,
    miss_rate,
    sample_of,
)
from detector.evaluation.outcomes import outcomes_of
from detector.evaluation.reencoding import ENCODER
from detector.evaluation.tables import FIGURE, SIZE, Row, cells, defined, size, write_table
from detector.training.labels import Clip

PEOPLE = 5
CELL_PX, COLUMNS = 480, 3
RATE, CRF, GREY = 25, 18, 90
MEASURED: dict[str, Measure] = {
    "auc": auc,
    "inconclusive_share": inconclusive_share,
    "coverage": coverage,
    "reals_called_fake": false_alarm_rate,
    "fakes_called_fake": detection_rate,
    "fakes_called_real": miss_rate,
    "faces_judged": faces_judged,
}
CHANGED = ("reals_called_fake", "fakes_called_fake", "inconclusive_share", "auc")

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Tiled:
    """The sources side by side, each scaled to fit a square cell, in rows of three."""

    @property
    def name(self) -> str:
        return f"tiled {CELL_PX} px in {COLUMNS} columns, {RATE} frames a second, CRF {CRF}"

    def make(self, sources: Sequence[Path], target: Path) -> None:
        with ExitStack() as stack, av.open(str(target), "w", format="mp4") as out:
            members = [pictures(path, stack) for path in sources]
            stream = out.add_stream("libx264", rate=RATE)
            stream.height, stream.width = canvas_of(len(sources))
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": str(CRF), **ENCODER}
            for shown in zip(*members, strict=False):
                frame = av.VideoFrame.from_ndarray(tiled(shown), format="rgb24")
                out.mux(stream.encode(frame))
            out.mux(stream.encode())


def pictures(path: Path, stack: ExitStack) -> Iterator[Picture]:
    """The clip's upright pictures, each in its cell. Raises an error of av where it can't be opened."""
    container = stack.enter_context(av.open(str(path)))
    video = container.streams.video[0]
    return (
        in_cell(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4))
        for frame in container.decode(video)
    )


def in_cell(picture: Picture) -> Picture:
    """(CELL_PX, CELL_PX, 3): the picture scaled to fit, grey around it."""
    height, width = picture.shape[:2]
    factor = CELL_PX / max(height, width)
    size = round(width * factor), round(height * factor)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    cell = np.full((CELL_PX, CELL_PX, 3), GREY, np.uint8)
    left, top = (CELL_PX - size[0]) // 2, (CELL_PX - size[1]) // 2
    cell[top : top + size[1], left : left + size[0]] = cv2.resize(
        np.ascontiguousarray(picture), size, interpolation=how
    )
    return cell


def canvas_of(count: int) -> tuple[int, int]:
    """Height and width that so many cells need."""
    columns = min(count, COLUMNS)
    return CELL_PX * -(-count // columns), CELL_PX * columns


def tiled(cells_shown: Sequence[Picture]) -> Picture:
    canvas = np.full((*canvas_of(len(cells_shown)), 3), GREY, np.uint8)
    for place, cell in enumerate(cells_shown):
        row, column = divmod(place, COLUMNS)
        canvas[row * CELL_PX :, column * CELL_PX :][:CELL_PX, :CELL_PX] = cell
    return canvas


@dataclass(frozen=True, slots=True)
class Crowd:
    """Five clips to be shown together. ``centre`` is the one that the figures are of; at most it is fake."""

    centre: Clip
    members: tuple[Clip, ...]


def crowds(clips: Sequence[Clip]) -> list[Crowd]:
    """One crowd for each clip: four reals of other groups join it, the same ones in every run.

    Empty where there are not reals of five groups.
    """
    rng = np.random.default_rng(0)
    reals = [clip for clip in clips if not clip.fake]
    if len({clip.group for clip in reals}) < PEOPLE:
        return []
    return [gathered(clip, reals, rng) for clip in clips]


def gathered(centre: Clip, reals: Sequence[Clip], rng: np.random.Generator) -> Crowd:
    company: dict[str, Clip] = {}
    for place in rng.permutation(len(reals)):
        if reals[place].group != centre.group and len(company) < PEOPLE - 1:
            company.setdefault(reals[place].group, reals[place])
    members = list(company.values())
    members.insert(int(rng.integers(len(members) + 1)), centre)
    return Crowd(centre, tuple(members))


def judge_crowds(judge: Judge, clips: Sequence[Clip]) -> dict[str, list[Outcome]]:
    """Outcomes of the clips alone and among four others; empty where there are too few reals."""
    gathered_all = crowds(clips)
    if not gathered_all:
        return {}
    alone = [Job((clip.path,), Tiled()) for clip in clips]
    together = [Job(tuple(clip.path for clip in crowd.members), Tiled()) for crowd in gathered_all]
    return {
        "1": outcomes_of(clips, judge.judge(alone, "one face")),
        str(PEOPLE): outcomes_of(clips, judge.judge(together, "five faces")),
    }


def write_crowds(path: Path, judged: Mapping[str, Sequence[Outcome]], facts: Mapping[str, str]) -> None:
    """For each number of people the figures, and what five change against one, clip by clip.

    Crowds are drawn by the group of the clip that they are about; their company overlaps, and that is not in
    the intervals.
    """
    rows: list[Row] = []
    for people, outcomes in judged.items():
        figures = {name: measured_in(sample_of(outcomes), measure) for name, measure in MEASURED.items()}
        rows += figure_rows(people, outcomes, {**figures, **controls(outcomes)})
    one, five = (sample_of(outcomes) for outcomes in judged.values())
    changes = {name: difference(five, one, MEASURED[name]) for name in CHANGED}
    rows += figure_rows(f"{PEOPLE} less 1", judged["1"], changes)
    write_table(path, ["people", "measure", *FIGURE, *SIZE], rows, facts)


def figure_rows(people: str, outcomes: Sequence[Outcome], figures: Mapping[str, Measured]) -> list[Row]:
    return [
        [people, name, *cells(figure), *size(outcomes)] for name, figure in figures.items() if defined(figure)
    ]
