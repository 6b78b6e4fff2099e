import re
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from analyses import claims
from analyses.detection import Failure, Reason, Verdict, model_cards
from analyses.models import Analysis
from analyses.odds import odds_of
from analyses.tests.factories import (
    make_analysis,
    make_done,
    make_failed,
    make_result,
    make_running,
    make_video,
    without_faces,
)
from analyses.tests.results import make_rich_result
from detector.tests.documents import check_document


def page_of(client: Client, analysis: Analysis) -> str:
    response = client.get(analysis.get_absolute_url())
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode().replace("&#x27;", "'").replace("\u00a0", " "))


def make_rich(owner: User, verdict: Verdict = Verdict.FAKE) -> Analysis:
    analysis = make_running(owner)
    assert claims.record_result(analysis=analysis, result=make_rich_result(analysis.video, verdict=verdict))
    analysis.refresh_from_db()
    return analysis


def test_a_queued_page_says_how_many_come_first(alice: User, bob: User, alice_client: Client) -> None:
    make_analysis(bob)
    page = page_of(alice_client, make_analysis(alice))
    assert "Waiting. 1 clip before this one." in page
    assert "Cancel the analysis" in page


def test_a_running_page_says_the_stage_and_the_frames(alice: User, alice_client: Client) -> None:
    page = page_of(alice_client, make_running(alice, stage="faces", progress_done=47, progress_total=120))
    assert "47 of 120 frames" in page
    assert page.count("(done)") == 2
    current = page[page.index('aria-current="step"') :]
    assert current.index("Find and follow the faces") < current.index("Score the faces")


def test_before_the_first_stage_the_page_says_what_it_waits_for(alice: User, alice_client: Client) -> None:
    assert "Getting ready: the model is being loaded." in page_of(alice_client, make_running(alice))


def test_without_scripts_an_unfinished_page_reloads_itself(alice: User, alice_client: Client) -> None:
    page = page_of(alice_client, make_running(alice))
    assert '<noscript><meta http-equiv="refresh" content="4"></noscript>' in page
    assert 'http-equiv="refresh"' not in page_of(alice_client, make_rich(alice))


def test_the_fragment_is_the_piece_alone(alice: User, alice_client: Client) -> None:
    analysis = make_running(alice, stage="model", progress_done=8, progress_total=120)
    fragment = alice_client.get(reverse("analysis_fragment", args=[analysis.uuid])).content.decode()
    assert "8 of 120 face pictures" in fragment
    assert "<html" not in fragment
    assert 'data-finished="false"' in fragment


def test_the_fragment_says_when_it_is_over(alice: User, alice_client: Client) -> None:
    url = reverse("analysis_fragment", args=[make_failed(alice).uuid])
    assert 'data-finished="true"' in alice_client.get(url).content.decode()


def test_the_state_is_json(alice: User, alice_client: Client) -> None:
    analysis = make_running(alice, stage="faces", progress_done=47, progress_total=120)
    response = alice_client.get(reverse("analysis_state", args=[analysis.uuid]))
    state = response.json()
    assert state.pop("elapsed_s") >= 0
    assert state == {
        "uuid": str(analysis.uuid),
        "state": "running",
        "finished": False,
        "stage": "faces",
        "done": 47,
        "total": 120,
        "queue_position": None,
        "left_s": None,
        "duration_s": 0.0,
        "points": [],
        "failure": None,
        "verdict": None,
        "fake_probability": None,
        "awaits_proxy": False,
    }
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("verdict", "headline", "share"),
    [
        (Verdict.FAKE, "Likely manipulated", "88 %"),
        (Verdict.REAL, "No sign of manipulation found", "9 %"),
        (Verdict.INCONCLUSIVE, "Can’t tell", "52 %"),
    ],
)
def test_a_result_says_its_verdict_in_words_and_as_a_code(
    verdict: Verdict, headline: str, share: str, alice: User, alice_client: Client
) -> None:
    analysis = make_rich(alice, verdict)
    check_document(analysis.document or {})
    page = page_of(alice_client, analysis)
    assert f"<span>{headline}</span>" in page
    assert f"Verdict code: <code>{verdict}</code>" in page
    assert f"This clip: {share}" in page
    assert "What to do next" in page
    assert "fake from 70 %, real up to 30 %" in page


def test_a_result_shows_every_reason_with_its_sentence(alice: User, alice_client: Client) -> None:
    video = make_video(alice)
    result = make_result(
        video, verdict=Verdict.REAL, fake_probability=0.2, reasons=(Reason.TRUNCATED,), scores=(0.2,) * 12
    )
    page = page_of(alice_client, make_done(alice, video=video, result=result))
    assert "The file ends before it should; only the part that could be read was judged." in page
    assert "truncated" in page


def test_a_result_without_a_face_makes_no_number_up(alice: User, alice_client: Client) -> None:
    video = make_video(alice)
    page = page_of(alice_client, make_done(alice, video=video, result=without_faces(video)))
    assert "No face was found" in page
    assert "There is no probability" in page
    assert "This clip:" not in page
    assert "There is no timeline, because no face was found." in page


def test_a_number_that_the_verdict_does_not_follow_is_explained(alice: User, alice_client: Client) -> None:
    video = make_video(alice)
    thin = make_result(
        video, verdict=Verdict.INCONCLUSIVE, fake_probability=0.93, reasons=(Reason.TOO_FEW_FRAMES,)
    )
    page = page_of(alice_client, make_done(alice, video=video, result=thin))
    assert "it doesn’t count as a verdict here" in page
    assert "it doesn’t count as a verdict here" not in page_of(alice_client, make_rich(alice))


@pytest.mark.parametrize(
    ("verdict", "scores", "is_said"),
    [
        (Verdict.FAKE, (0.9, 0.1, 0.2), True),
        (Verdict.FAKE, (0.9, 0.8, 0.2), False),
        (Verdict.REAL, (0.9, 0.8, 0.2), True),
        (Verdict.REAL, (0.9, 0.1, 0.2), False),
        (Verdict.INCONCLUSIVE, (0.9, 0.1, 0.2), False),
    ],
)
def test_a_verdict_against_most_frames_is_explained(
    verdict: Verdict, scores: tuple[float, ...], is_said: bool, alice: User, alice_client: Client
) -> None:
    video = make_video(alice)
    done = make_done(alice, video=video, result=make_result(video, verdict=verdict, scores=scores))
    assert ("speak against the verdict" in page_of(alice_client, done)) == is_said


def test_a_result_draws_a_strip_for_each_face(alice: User, alice_client: Client) -> None:
    page = page_of(alice_client, make_rich(alice))
    assert page.count("data-plot") == 2
    assert page.count('class="plot__window"') == 2 * 4
    assert page.count('class="plot__line"') == 5
    assert "Face 1: 120 frames scored between 0:00.0 and 0:12.0" in page
    assert "highest 99 % at 0:07.8" in page


def test_a_result_links_its_pictures_and_moments(alice: User, alice_client: Client) -> None:
    analysis = make_rich(alice)
    page = page_of(alice_client, analysis)
    assert reverse("analysis_evidence", args=[analysis.uuid, "1-195-heatmap.png"]) in page
    assert f'href="{reverse("analysis_video", args=[analysis.uuid])}?original#t=7.8"' in page


def test_a_result_names_file_and_model_by_their_hashes(alice: User, alice_client: Client) -> None:
    analysis = make_rich(alice)
    page = page_of(alice_client, analysis)
    assert analysis.video.sha256 in page
    assert analysis.model_sha256 in page


def test_a_name_is_text_and_never_markup(alice: User, alice_client: Client) -> None:
    analysis = make_running(alice, name="<script>alert(1)</script>.mp4")
    claims.record_result(analysis=analysis, result=make_rich_result(analysis.video))
    page = page_of(alice_client, analysis)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.mp4" in page


def test_a_moderator_sees_whose_clip_it_is(alice: User, alice_client: Client, mo_client: Client) -> None:
    analysis = make_rich(alice)
    assert "uploaded by alice@example.org" in page_of(mo_client, analysis)
    assert "uploaded by" not in page_of(alice_client, analysis)


@pytest.mark.parametrize("code", list(Failure))
def test_an_analysis_that_ended_without_a_result_says_why_and_what_to_do(
    code: Failure, alice: User, alice_client: Client
) -> None:
    analysis = make_failed(alice, code=code)
    page = page_of(alice_client, analysis)
    assert analysis.failure_sentence in page
    assert f"<code>{code}</code>" in page
    assert re.search(r"What to do next</h2> <ul[^>]*><li>\w", page)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_pages_carry_no_inline_script_or_style(verdict: Verdict, alice: User, alice_client: Client) -> None:
    for analysis in (make_rich(alice, verdict), make_running(alice), make_failed(alice)):
        page = page_of(alice_client, analysis)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"\sstyle=|<style|\son\w+=", page)


def test_a_result_tells_what_was_looked_at_and_how_well(alice: User, alice_client: Client) -> None:
    analysis = make_rich(alice)
    document = analysis.document or {}
    document["frames"] = [entry for entry in document["frames"] if not 270 <= entry["frame"] < 280]
    analysis.save(update_fields=["document"])
    page = page_of(alice_client, analysis)
    assert "120 of 300 frames were looked at, in 4 windows" in page
    assert "In 110 of them a face was scored. 10 were left out" in page
    assert "31 to 186 pixels" in page
    assert 'too small to judge <span class="muted">(31 pixels high, 36 needed)' in page
    assert "Face 2 doesn’t count for the verdict" in page
    assert "4.4 s of the 4.8 s looked at" in page


def test_a_result_of_an_earlier_version_still_shows(alice: User, alice_client: Client) -> None:
    analysis = make_rich(alice)
    document = analysis.document or {}
    del document["windows"]
    analysis.save(update_fields=["document"])
    page = page_of(alice_client, analysis)
    assert "This result doesn’t tell which frames were looked at" in page
    assert "or show no usable face" in page
    assert page.count("data-plot") == 2


def test_a_result_of_the_installed_model_says_how_real_clips_scored_and_what_it_has_not_seen(
    alice: User, alice_client: Client
) -> None:
    card = next(card for card in model_cards() if card.shipped)
    analysis = make_rich(alice)
    analysis.model_sha256 = card.weights.sha256
    analysis.save(update_fields=["model_sha256"])
    page = page_of(alice_client, analysis)
    assert "Never seen in training, and not measured" in page
    assert ("real clips that this model was tested on" in page) == bool(odds_of(card, 0.88))


def test_a_crowd_has_low_strips_and_still_a_small_page(alice: User, alice_client: Client) -> None:
    video = make_video(alice)
    result = make_rich_result(video)
    first = [frame for frame in result.frames if frame.track == 1]
    crowd = replace(
        result,
        faces=tuple(replace(result.faces[0], track=track) for track in range(1, 9)),
        frames=tuple(replace(frame, track=track) for frame in first for track in range(1, 9)),
    )
    analysis = make_done(alice, video=video, result=crowd)
    check_document(analysis.document or {})
    url = analysis.get_absolute_url()
    packed = alice_client.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < 50_000
    page = page_of(alice_client, analysis)
    assert page.count("data-plot") == page.count("data-runs") == 8
    assert "timeline--crowded" in page
