"""The frame model in training: schedule, and that a picture is judged by itself."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from detector.config import DetectorConfig
from detector.loading import load_model
from detector.models import MODELS, CnnLstm, ConvNorm, Ensemble, tiny
from detector.preprocessing import INPUTS, normalised
from detector.tests.scenes import scene
from detector.training import starts
from detector.training import train as loop
from detector.training.calibrate import start_of
from detector.training.labels import Clip
from detector.training.samples import Pair
from detector.training.settings import TrainConfig, learning_rate, read_config
from detector.training.train import FrameModel, Imitation, load_members, load_start
from detector.weights import find_weights

CONFIG = Path(__file__).parents[1] / "training" / "configs" / "efficientnet.toml"


def test_in_training_a_crop_does_not_feel_the_others_in_its_batch() -> None:
    """With statistics of the batch, pairs of real and fake could be told apart by comparison alone."""
    torch.manual_seed(0)
    trained = FrameModel(MODELS["tiny_lstm"]()).train()
    crops = torch.randn(4, 3, 224, 224)
    with torch.no_grad():
        features = [
            trained.cnn(batch).mean(dim=(2, 3))[0] for batch in (crops[:1], crops, crops[[0, 0, 0, 0]])
        ]
    torch.testing.assert_close(features[1], features[0])
    torch.testing.assert_close(features[2], features[0])


def test_training_leaves_the_statistics_of_batch_norms_alone() -> None:
    model = MODELS["tiny_lstm"]()
    before = {name: value.clone() for name, value in model.named_buffers()}
    trained = FrameModel(model).train()
    trained(torch.randn(4, 3, 224, 224)).sum().backward()
    for name, value in model.named_buffers():
        assert torch.equal(value, before[name])
    assert model.frame_output.weight.grad is not None


def test_the_learning_rate_warms_up_stays_and_falls_over_the_last_quarter() -> None:
    config = TrainConfig(name="x", steps=1000, warmup=100, learning_rate=1e-3)
    rates = [learning_rate(config, step) for step in range(1000)]
    assert rates[0] == pytest.approx(1e-5)
    assert rates[100:750] == [1e-3] * 650
    assert rates[750:] == sorted(rates[750:], reverse=True)
    assert rates[-1] < 2e-5


def test_the_committed_configuration_reads() -> None:
    config = read_config(CONFIG)
    assert config.model in MODELS
    assert 0 < config.shares.true_fakes < 1


@pytest.mark.parametrize("path", sorted(CONFIG.parent.glob("*.toml")), ids=lambda path: path.stem)
def test_every_committed_configuration_names_what_is_there(path: Path) -> None:
    config = read_config(path)
    names = {read_config(other).name for other in CONFIG.parent.glob("*.toml")}
    assert config.model in MODELS
    assert {config.start, *config.members} <= {"imagenet", "installed", *names}
    assert config.batch_pairs % config.processes == 0


@pytest.mark.parametrize("fakes", [(), (True, True)])
def test_a_set_that_no_model_can_be_chosen_by_is_refused_at_once(
    fakes: tuple[bool, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tune = [Clip(Path(f"{i}.mp4"), fake, "s", "g", "train") for i, fake in enumerate(fakes)]
    monkeypatch.setattr(loop, "read_clips", lambda data, split: [])
    monkeypatch.setattr(loop, "fit_and_tune", lambda clips: ([], tune))
    with pytest.raises(SystemExit):
        loop.main([str(CONFIG), "--data", "videos"])
    assert "videos leaves reals or fakes out of the fifth" in capsys.readouterr().err


class Scenes:
    """A sampler without clips: the fakes of its pairs are darker."""

    def pairs(self, rng: np.random.Generator) -> Iterator[Pair]:
        while True:
            crop = rng.integers(0, 256, (224, 224, 3), np.uint8)
            yield Pair(crop, crop // 2, true=False)


def test_a_run_that_goes_on_ends_as_one_that_was_never_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "read_clips", lambda data, split: [])
    monkeypatch.setattr(loop, "sampler_of", lambda config: Scenes())
    monkeypatch.setattr(loop, "tune_auc", lambda *_, **__: 0.5)
    small = TrainConfig(name="whole", model="tiny_lstm", runs=tmp_path, steps=6, batch_pairs=2, processes=1)
    whole = replace(small, evaluate_every=2, save_every=2, warmup=2)
    loop.train(0, whole)
    cut = replace(whole, name="cut")

    class Killed(Exception):
        pass

    def killed(self: loop.Checkpoint, step: int, seconds: float) -> None:
        save(self, step, seconds)
        if step == 4:
            raise Killed

    with monkeypatch.context() as patched:
        save = loop.Checkpoint.save
        patched.setattr(loop.Checkpoint, "save", killed)
        with pytest.raises(Killed):
            loop.train(0, cut)
    loop.train(0, cut)
    one, other = (
        torch.load(config.folder / "checkpoint.pt", weights_only=True)["average"] for config in (whole, cut)
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def imitation() -> Imitation:
    torch.manual_seed(0)
    config = TrainConfig(name="x", model="tiny_lstm", teacher="efficientnet", pixels=112)
    return Imitation(FrameModel(MODELS["tiny_lstm"]()), config)


def test_a_network_learns_to_see_as_its_teacher_does() -> None:
    taught = imitation().train()
    crops = torch.from_numpy(np.stack([scene([(40 + 9 * i, 60)])[:224, :224] for i in range(6)]))
    optimizer = torch.optim.AdamW(taught.parameters(), 1e-2)
    losses = []
    for _ in range(15):
        loss = taught(crops, torch.zeros(6))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_a_teacher_is_neither_trained_nor_saved_with_its_pupil() -> None:
    parts = imitation().state_dict()
    assert {name.split(".")[0] for name in parts} == {"model", "project"}


def test_training_goes_on_from_the_running_average_of_another_run(tmp_path: Path) -> None:
    first = FrameModel(MODELS["tiny_lstm"]())
    average = AveragedModel(first, use_buffers=True)
    torch.save({"average": average.state_dict()}, tmp_path / "checkpoint.pt")
    model = MODELS["tiny_lstm"]()
    load_start(
        model, TrainConfig(name="second", model="tiny_lstm", start=tmp_path.name, runs=tmp_path.parent)
    )
    torch.testing.assert_close(FrameModel(model).state_dict(), first.state_dict(), rtol=1e-3, atol=1e-6)


def test_what_was_kept_of_a_run_is_what_the_run_itself_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "KEPT", tmp_path / "kept")
    run = tmp_path / "first"
    run.mkdir()
    average = AveragedModel(FrameModel(MODELS["tiny_lstm"]()), use_buffers=True)
    torch.save({"average": average.state_dict(), "step": 700}, run / "checkpoint.pt")
    starts.keep(run)
    gone = tmp_path / "elsewhere" / "first"
    of_run, of_kept = starts.ended_with(run), starts.ended_with(gone)
    assert of_run.keys() == of_kept.keys() == average.module.state_dict().keys()
    assert all(torch.equal(of_run[name], of_kept[name]) for name in of_run)
    assert starts.steps_taken(run) == starts.steps_taken(gone) == 700
    with pytest.raises(FileNotFoundError, match="third"):
        starts.ended_with(tmp_path / "third")


@pytest.mark.parametrize("path", sorted(starts.KEPT.glob("*.safetensors")), ids=lambda path: path.stem)
def test_what_is_kept_fits_the_network_that_its_run_trained(path: Path, tmp_path: Path) -> None:
    config = read_config(CONFIG.with_stem(path.stem))
    model = FrameModel(MODELS[config.model]())
    model.load_state_dict(starts.ended_with(tmp_path / path.stem))
    assert model.frame_output.weight.any()


def test_a_card_says_what_a_training_in_parts_began_with() -> None:
    parts = start_of(read_config(CONFIG))
    assert parts.startswith("the run efficientnet_second of 1100 steps")
    assert parts.endswith("which began with EfficientNet-Lite0, ImageNet weights (Apache-2.0)")
    assert start_of(TrainConfig(name="own", start="of_elsewhere")) == "the run of_elsewhere"


def test_training_goes_on_from_the_installed_weights() -> None:
    model = MODELS["efficientnet_lstm"]()
    load_start(model, TrainConfig(name="second", start="installed"))
    installed = load_model(find_weights(DetectorConfig()), torch.device("cpu"))
    crops = torch.from_numpy(np.stack([scene([(40, 60)])[:224, :224] for _ in range(2)]))
    crops = normalised(crops, INPUTS["efficientnet_lstm"])
    with torch.inference_mode():
        torch.testing.assert_close(
            model.eval().features(crops), installed.features(crops), atol=1e-3, rtol=1e-3
        )


def test_norms_that_keep_their_statistics_learn_what_they_would_one_by_one() -> None:
    """Folding them into the convolutions is faster, and must change no gradient."""
    torch.manual_seed(0)
    folded = ConvNorm(4, 6, kernel=3, stride=2).eval()
    for name, statistics in folded.named_buffers():
        if "running" in name:
            statistics.uniform_(0.5, 2.0)
    plain = nn.Sequential(*copy.deepcopy(folded))
    crops = torch.randn(2, 4, 15, 15)
    for block in (folded, plain):
        block(crops).square().sum().backward()
    torch.testing.assert_close(folded(crops), plain(crops))
    for ours, theirs in zip(folded.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_an_ensemble_answers_with_the_mean_of_its_members(tmp_path: Path) -> None:
    torch.manual_seed(0)
    members = [FrameModel(MODELS["tiny_lstm"]()).half().float().eval() for _ in range(2)]  # as what is kept
    folders = [tmp_path / "one", tmp_path / "two"]
    for member, folder in zip(members, folders, strict=True):
        folder.mkdir()
        average = AveragedModel(member, use_buffers=True)
        torch.save({"average": average.state_dict()}, folder / "checkpoint.pt")
    whole = CnnLstm(Ensemble(tiny() for _ in folders), 64)
    load_members(whole, folders)
    crops = torch.randn(3, 3, 224, 224)
    with torch.inference_mode():
        expected = torch.stack([member(crops) for member in members]).mean(dim=0)
        torch.testing.assert_close(FrameModel(whole).eval()(crops), expected)
    with pytest.raises(ValueError, match="no ensemble of 1"):
        load_members(whole, folders[:1])
