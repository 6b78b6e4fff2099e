"""The same file again: an earlier result, another model, two results side by side."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from analyses import claims, services
from analyses.comparison import comparison_of
from analyses.detection import Failure, NoWeights, Verdict, check_weights, config_for, installed_models
from analyses.models import Analysis, State, Video
from analyses.tests.factories import (
    MP4_BYTES,
    make_analysis,
    make_done,
    make_failed,
    make_result,
    make_running,
)
from analyses.tests.results import make_rich_result
from detector import DetectorConfig
from detector.result import AnalysisResult

pytestmark = pytest.mark.django_db


def file(content: bytes = MP4_BYTES) -> SimpleUploadedFile:
    return SimpleUploadedFile("clip.mp4", content)


def done_with(owner: User, result: AnalysisResult | None = None, **fields: object) -> Analysis:
    """Done, by the model that is installed."""
    analysis = make_done(owner, result=result, **fields)
    Analysis.objects.filter(pk=analysis.pk).update(model_sha256=check_weights().sha256)
    analysis.refresh_from_db()
    return analysis


# Models


def test_the_settings_own_model_comes_first_and_no_weights_come_twice(shipped_models: None) -> None:
    assert [model.backbone for model in installed_models()] == ["", "resnext50"]


def test_weights_of_ones_own_stand_beside_the_shipped_ones(installed_weights: Path) -> None:
    models = installed_models()
    assert [model.backbone for model in models] == ["", "efficientnet", "resnext50"]
    assert models[0].weights.path == installed_weights


def test_an_analysis_runs_with_the_settings_and_what_it_was_asked_for(
    installed_weights: Path, settings: Settings
) -> None:
    settings.DETECTOR = replace(settings.DETECTOR, threshold=0.8)
    assert config_for() == settings.DETECTOR
    other = config_for("efficientnet", stability=True)
    assert (other.backbone, other.model_path, other.stability) == ("efficientnet", None, True)
    assert other.threshold == 0.8
    with pytest.raises(NoWeights):
        config_for("vgg")


# The same file again


@pytest.mark.usefixtures("installed_weights")
def test_the_same_file_opens_the_result_that_there_is(alice: User, settings: Settings) -> None:
    earlier = done_with(alice)
    assert services.submit_analysis(owner=alice, upload=file()) == earlier
    assert Video.objects.count() == 1
    assert len(list(Path(settings.MEDIA_ROOT).glob("videos/*"))) == 1


@pytest.mark.usefixtures("installed_weights")
def test_another_question_about_the_same_file_is_a_new_analysis(
    alice: User, bob: User, settings: Settings
) -> None:
    done_with(alice)
    assert not services.submit_analysis(owner=bob, upload=file()).is_done
    assert not services.submit_analysis(owner=alice, upload=file(), stability=True).is_done
    assert not services.submit_analysis(owner=alice, upload=file(), backbone="efficientnet").is_done
    assert not services.submit_analysis(owner=alice, upload=file(MP4_BYTES + b"!")).is_done
    settings.DETECTOR = replace(settings.DETECTOR, threshold=0.8)
    assert not services.submit_analysis(owner=alice, upload=file()).is_done


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize("make", [make_analysis, make_running])
def test_the_same_file_opens_the_analysis_that_is_under_way(
    make: Callable[[User], Analysis], alice: User, settings: Settings
) -> None:
    settings.QUOTAS = {**settings.QUOTAS, "user": {**settings.QUOTAS["user"], "running": 1}}
    earlier = make(alice)
    assert services.submit_analysis(owner=alice, upload=file()) == earlier
    assert Video.objects.count() == len(list(Path(settings.MEDIA_ROOT).glob("videos/*"))) == 1


@pytest.mark.usefixtures("installed_weights")
def test_another_question_about_a_file_under_way_is_a_new_analysis(alice: User, bob: User) -> None:
    make_running(alice)
    for asked in ({"stability": True}, {"backbone": "efficientnet"}):
        assert services.submit_analysis(owner=alice, upload=file(), **asked).state == State.QUEUED
    services.submit_analysis(owner=bob, upload=file())
    assert Analysis.objects.count() == Video.objects.count() == 4


@pytest.mark.usefixtures("installed_weights")
def test_a_result_comes_before_the_new_analysis_of_it(alice: User) -> None:
    earlier = done_with(alice)
    services.rerun_analysis(analysis=earlier)
    assert services.submit_analysis(owner=alice, upload=file()) == earlier


@pytest.mark.usefixtures("installed_weights")
def test_what_failed_or_is_being_cancelled_is_analysed_anew(alice: User) -> None:
    make_failed(alice)
    make_failed(alice, code=Failure.CANCELLED)
    stopping = make_running(alice, cancel_requested=True)
    new = services.submit_analysis(owner=alice, upload=file())
    assert new.state == State.QUEUED
    assert services.rerun_analysis(analysis=stopping) not in (stopping, new)
    assert Analysis.objects.count() == 5


@pytest.mark.usefixtures("installed_weights")
def test_the_page_of_one_under_way_says_so(alice: User, alice_client: Client) -> None:
    said = "You handed in this file before"
    for again in (False, True):
        response = alice_client.post(reverse("analysis_new"), {"video": file()}, follow=True)
        assert (said in response.content.decode()) == again
    assert Analysis.objects.count() == 1


@pytest.mark.usefixtures("installed_weights")
def test_the_page_says_so_and_offers_a_new_analysis(alice: User, alice_client: Client) -> None:
    earlier = done_with(alice)
    response = alice_client.post(reverse("analysis_new"), {"video": file()}, follow=True)
    page = response.content.decode()
    assert "You had this file analysed before with the same model and settings." in page
    assert "You had this file" not in alice_client.get(earlier.get_absolute_url()).content.decode()
    anew = alice_client.post(reverse("analysis_rerun", args=[earlier.uuid]), {"backbone": ""})
    new = Analysis.objects.exclude(pk=earlier.pk).get()
    assert anew["Location"] == new.get_absolute_url()
    assert (new.video, new.state) == (earlier.video, State.QUEUED)


# Run again


@pytest.mark.usefixtures("installed_weights")
def test_running_again_leaves_the_old_result_as_it_is(alice: User, alice_client: Client) -> None:
    old = done_with(alice)
    before = Analysis.objects.filter(pk=old.pk).values().get()
    alice_client.post(
        reverse("analysis_rerun", args=[old.uuid]), {"backbone": "efficientnet", "stability": "on"}
    )
    new = Analysis.objects.exclude(pk=old.pk).get()
    assert (new.backbone, new.stability, new.owner, new.video) == ("efficientnet", True, alice, old.video)
    assert Analysis.objects.filter(pk=old.pk).values().get() == before


@pytest.mark.usefixtures("installed_weights")
def test_two_clicks_make_one_analysis(alice: User) -> None:
    old = done_with(alice)
    first = services.rerun_analysis(analysis=old)
    assert services.rerun_analysis(analysis=old) == first
    assert services.rerun_analysis(analysis=old, stability=True) != first


@pytest.mark.usefixtures("installed_weights")
def test_a_model_that_is_not_installed_is_not_taken(alice: User, alice_client: Client) -> None:
    old = done_with(alice)
    response = alice_client.post(reverse("analysis_rerun", args=[old.uuid]), {"backbone": "vgg"}, follow=True)
    assert "This model is not installed." in response.content.decode()
    assert Analysis.objects.count() == 1


def test_without_weights_it_is_said(
    alice: User, alice_client: Client, settings: Settings, tmp_path: Path
) -> None:
    old = make_done(alice)
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "none.safetensors")
    response = alice_client.post(reverse("analysis_rerun", args=[old.uuid]), {}, follow=True)
    assert "No usable model weights are installed" in response.content.decode()


@pytest.mark.usefixtures("installed_weights")
def test_a_moderators_new_analysis_belongs_to_the_owner(alice: User, mo_client: Client) -> None:
    old = done_with(alice)
    mo_client.post(reverse("analysis_rerun", args=[old.uuid]), {})
    assert {analysis.owner for analysis in Analysis.objects.all()} == {alice}


@pytest.mark.usefixtures("installed_weights")
def test_the_result_page_offers_other_models_and_other_results(alice: User, alice_client: Client) -> None:
    one = done_with(alice, stability=True)
    two = make_done(alice, video=one.video)
    waiting = make_analysis(alice, video=one.video, backbone="efficientnet")
    page = alice_client.get(one.get_absolute_url()).content.decode()
    assert '<option value="efficientnet" selected>efficientnet_lstm, version' in page
    assert reverse("analysis_compare", args=[one.uuid, two.uuid]) in page
    assert f'href="{waiting.get_absolute_url()}"' in page


def test_deleting_one_of_two_says_that_the_video_stays(alice: User, alice_client: Client) -> None:
    one = make_done(alice)
    two = make_done(alice, video=one.video)
    url = reverse("analysis_delete", args=[one.uuid])
    assert "another analysis needs it" in alice_client.get(url).content.decode()
    page = alice_client.post(url, follow=True).content.decode()
    assert "This analysis of “clip.mp4” was deleted." in page
    assert Path(two.video.file.path).exists()


# Side by side


def compare_url(one: Analysis, two: Analysis) -> str:
    return reverse("analysis_compare", args=[one.uuid, two.uuid])


def test_the_older_result_stands_left_and_what_differs_is_marked(alice: User, alice_client: Client) -> None:
    old = make_done(alice)
    real = make_result(old.video, verdict=Verdict.REAL, fake_probability=0.08)
    new = make_done(alice, video=old.video, result=real)
    page = alice_client.get(compare_url(new, old)).content.decode().replace("\u00a0", " ")
    assert "The verdicts differ." in page
    assert "<td>Likely manipulated</td><td>No sign of manipulation found</td>" in page
    assert "<td>92 %</td><td>8 %</td>" in page
    assert page.count('class="comparison__differs"') == 3  # verdict, probability, the one face


def test_two_equal_results_have_no_mark(alice: User, alice_client: Client) -> None:
    one = make_done(alice)
    two = make_done(alice, video=one.video)
    page = alice_client.get(compare_url(one, two)).content.decode()
    assert "Both results have the same verdict." in page
    assert "comparison__differs" not in page


def test_the_same_bytes_under_another_name_are_the_same_file(alice: User, alice_client: Client) -> None:
    one, two = make_done(alice), make_done(alice, name="copy.mp4")
    assert alice_client.get(compare_url(one, two)).status_code == 200


def test_other_files_other_owners_and_itself_cannot_be_compared(
    alice: User, bob: User, alice_client: Client, mo_client: Client
) -> None:
    one = make_done(alice)
    others = [one, make_done(alice, content=MP4_BYTES + b"!"), make_done(bob)]
    for other in others:
        for client in (alice_client, mo_client):
            assert client.get(compare_url(one, other)).status_code == 404


def test_one_without_a_result_is_shown_alone(alice: User, alice_client: Client) -> None:
    one = make_done(alice)
    running = make_running(alice, video=one.video)
    assert alice_client.get(compare_url(one, running))["Location"] == running.get_absolute_url()


def test_faces_are_paired_by_where_they_are_and_not_by_number(alice: User) -> None:
    one = make_running(alice)
    result = make_rich_result(one.video)
    claims.record_result(analysis=one, result=result)
    swapped = {1: 2, 2: 1}
    turned = replace(
        result,
        faces=tuple(replace(face, track=swapped[face.track]) for face in result.faces),
        frames=tuple(replace(frame, track=swapped[frame.track]) for frame in result.frames),
        evidence=(),
    )
    two = make_running(alice, video=one.video)
    claims.record_result(analysis=two, result=turned)
    for analysis in (one, two):
        analysis.refresh_from_db()
    pairs = comparison_of(one, two).faces
    assert [pair.line.label for pair in pairs] == ["Face 1 / Face 2", "Face 2 / Face 1"]
    assert not any(pair.line.differs for pair in pairs)


def test_a_face_that_only_one_result_has_stands_alone(alice: User) -> None:
    one = make_running(alice)
    claims.record_result(analysis=one, result=make_rich_result(one.video))
    two = make_running(alice, video=one.video)
    claims.record_result(analysis=two, result=make_result(one.video, scores=(), verdict=Verdict.INCONCLUSIVE))
    for analysis in (one, two):
        analysis.refresh_from_db()
    lines = [pair.line for pair in comparison_of(two, one).faces]
    assert [line.left for line in lines] == ["not found", "not found"]
    assert all(line.differs for line in lines)
