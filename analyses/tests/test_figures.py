import pytest

from analyses.scale import scale_of
from analyses.templatetags.figures import clock, hundredths, megabytes, percent, roughly, span


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00.0"), (4.25, "0:04.2"), (59.96, "1:00.0"), (3723.4, "1:02:03.4")]
)
def test_a_position_in_a_video(seconds: float, words: str) -> None:
    assert clock(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.42, "0.4 s"), (12.4, "12 s"), (185, "3 min 5 s"), (1800, "30 min"), (3720, "1 h 2 min")],
)
def test_a_length_of_time(seconds: float, words: str) -> None:
    assert span(seconds).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a few seconds"),
        (12.4, "about 10 s"),
        (13, "about 15 s"),
        (57, "about 55 s"),
        (58, "about 1 min"),
        (200, "about 3 min"),
    ],
)
def test_an_estimated_length_of_time(seconds: float, words: str) -> None:
    assert roughly(seconds).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "no score"),
        (0.92, "92 %"),
        (0.999, "over 99 %"),
        (0.001, "under 1 %"),
        (0.7, "70 %"),
        (0.6961, "69.6 %"),
        (0.3, "30 %"),
        (0.3041, "30.4 %"),
    ],
)
def test_a_probability_is_never_rounded_over_a_limit(share: float | None, words: str) -> None:
    assert percent(share, 0.7).replace("\u00a0", " ") == words


def test_shares_and_sizes() -> None:
    assert hundredths(1 - 0.7) == "30"
    assert [megabytes(size).replace("\u00a0", " ") for size in (300, 5_000_000, 104_857_600)] == [
        "1 kB",
        "4.8 MB",
        "100 MB",
    ]


def test_the_scale_knows_the_zone_of_the_number_alone() -> None:
    assert scale_of(0.7, 0.7).zone == "fake"
    assert scale_of(0.7, 0.3).zone == "real"
    assert scale_of(0.7, 0.5).zone == "inconclusive"
    assert scale_of(0.7).mark is None
    assert (scale_of(0.8).lower, scale_of(0.8).middle_width, scale_of(0.8).upper_width) == (20, 60, 20)
