"""What a model card says in words: names of networks, measures and changes, limits, and how figures look."""

from detector.model_cards.figures import Figure

NBSP = "\u00a0"

NETWORKS = {
    "efficientnet_lstm": "EfficientNet-Lite0 (Tan and Le 2019), 1,280 channels; bidirectional LSTM",
    "efficientnet_lite2_lstm": "EfficientNet-Lite2 (Tan and Le 2019), 1,280 channels; bidirectional LSTM",
    "efficientnet_duo_lstm": "EfficientNet-Lite0 and Lite2 (Tan and Le 2019), trained apart and averaged, "
    "2,560 channels; bidirectional LSTM",
    "resnext50_lstm": "ResNeXt50 32x4d (Xie et al. 2017), 2,048 channels; bidirectional LSTM",
    "tiny_lstm": "four small convolutions with a tiny LSTM, for tests; its scores mean nothing",
}
HOW_IT_WORKS = (
    "Every face is followed through the clip and cut out over windows of consecutive frames spread over the "
    "clip. The network sees each crop alone and gives it a logit. The LSTM reads how these logits waver and "
    "how much each part of the crop changes from frame to frame; what it finds is added to their mean. A "
    "face’s score is the mean over its windows, and the calibration turns it into a probability."
)

SPLITS = {"val": "Validation", "tune": "Tune"}
SPLIT_WORDS = {
    "val": "Clips of people and scenes that no training saw; the model was chosen and calibrated on others. "
    "Methods and camera work are those of the training clips, so expect less on other material. Every look "
    "at these clips is listed in docs/experiments.md.",
    "tune": "A fifth of the training groups, kept out of the fitting. The model was chosen and calibrated on "
    "them, so figures on them flatter it.",
}

AUC = "AUC (0.5 is a coin, 1 is perfect)"
CONTROL = "Control: AUC of blur, face size and bitrate together"
MEASURES = {
    "auc": AUC,
    "control_auc_all_three": CONTROL,
    "control_auc_sharpness": "Control: AUC of blur alone",
    "control_auc_face_px": "Control: AUC of face size alone",
    "control_auc_kbit_s": "Control: AUC of bitrate alone",
    "accuracy_of_decided": "Right, of the clips given a verdict",
    "inconclusive_share": "Left inconclusive",
    "coverage": "Given a probability",
    "reals_called_fake": "Real clips called fake",
    "fakes_called_fake": "Fake clips called fake",
    "fakes_called_real": "Fake clips called real",
    "accuracy_at_half": "On the right side of one half",
    "balanced_accuracy_at_half": "The same, reals and fakes weighing alike",
    "equal_error_rate": "Equal error rate",
    "calibration_error": "Calibration error (0 is perfect)",
    "brier_score": "Brier score (0 is perfect, a coin’s is 0.25)",
    "auc_drop": "Drop of the AUC",
    "faces_judged": "Faces judged in a clip",
    "right_turned_inconclusive": "Right verdicts that the check takes back",
    "wrong_turned_inconclusive": "Wrong verdicts that the check takes back",
    "called_fake": "Called fake",
    "inconclusive": "Inconclusive",
    "no_face_found": "No face found",
    "above_half": "Above one half",
}
SHORT = {
    "auc": "AUC",
    "auc_drop": "Drop of AUC",
    "control_auc_all_three": "Control",
    "accuracy_of_decided": "Right of decided",
    "inconclusive_share": "Inconclusive",
    "coverage": "Given a probability",
    "reals_called_fake": "Reals called fake",
    "fakes_called_fake": "Fakes called fake",
}
"""Titles of columns."""
SHARES = {
    "accuracy_of_decided", "inconclusive_share", "coverage", "reals_called_fake", "fakes_called_fake",
    "fakes_called_real", "accuracy_at_half", "balanced_accuracy_at_half", "equal_error_rate",
    "right_turned_inconclusive", "wrong_turned_inconclusive", "called_fake", "inconclusive", "no_face_found",
    "above_half",
}  # fmt: skip
"""Measures that are shown in percent."""

DEGRADATIONS = {
    "as_is": "As they are",
    "crf23": "H.264 at CRF 23",
    "crf32": "H.264 at CRF 32",
    "crf40": "H.264 at CRF 40",
    "half_crf23": "Half the size, CRF 23",
    "quarter_crf23": "A quarter of the size, CRF 23",
    "blur2px_crf23": "Blurred by 2 px, CRF 23",
    "noise10_crf23": "Noise of 10 levels, CRF 23",
}
CHANGES = {
    "as_is": "As they are",
    "shuffled": "Frames shuffled",
    "reversed": "Frames in reverse order",
    "one_frame_repeated": "All frames replaced by one of them",
    "second_half_frozen": "Second half frozen",
}
PEOPLE = {"1": "One person", "5": "Five people", "5 less 1": "Five less one"}
AUDITED = {
    "all": "All stills",
    "source": "By source",
    "age": "By age",
    "sex": "By sex",
    "group": "By group",
    "group_and_sex": "By group and sex",
}
PLOTS = {
    "roc": (
        "Hits and false alarms",
        "Curve of fakes found against false alarms, with the control and a coin",
    ),
    "reliability": (
        "Does the probability mean what it says?",
        "Share of fakes found against the stated probability, in bins with 95 % intervals",
    ),
    "scores": ("Every clip’s probability", "One dot a clip on the scale from 0 to 1, a line a source"),
    "coverage": (
        "Deciding less, being right more",
        "Share of right verdicts against the share of clips decided, as less certain clips are decided too",
    ),
    "robustness": ("Under compression, blur and noise", "Bars of the AUC for each change, with the control"),
}
WIDE_PLOTS = {"scores", "robustness"}
COMPARED = {
    "clips": "Tune clips, all qualities",
    "clips_as_is": "Tune clips as they are",
    "clips_crf32": "Tune clips at CRF 32",
    "clips_half_crf26": "Tune clips at half the size, CRF 26",
    "pseudo_fakes": "Blends made from tune’s reals",
    "fakes_in_time_alone": "Fakes in time alone (each frame is clean)",
}

HOW_TO_READ = (
    "A verdict is a lead to follow up, not proof. “Real” says that no sign of manipulation was found; it is "
    "no certificate.",
    "The probability holds for a pool in which half of all clips are manipulated. Where manipulated clips "
    "are rarer, the true chance is lower.",
    "Strong compression, small or blurred faces and heads turned away hide the traces. The answer is then "
    "often “inconclusive”, with the reason.",
    "Someone who knows the model can fool it.",
    "In brackets stand 95 % intervals over groups of clips that share people or scenes; n is the number of "
    "clips that a figure is over. With a handful of fakes a figure says next to nothing.",
    "An AUC is the chance that a fake scores above a real. The control beside it is what blur, face size and "
    "bitrate reach without looking at the face: that part of an AUC proves nothing.",
)
SEVERAL_FACES = (
    "Each clip is shown alone and beside four real clips of other people, in cells of the same size, so that "
    "nothing but the company differs. The figures are about the clip in question."
)
STABILITY = (
    "On request the faces are compressed and scaled and scored again; where the verdict changes, it becomes "
    "inconclusive."
)
AUDIT = (
    "Real still faces, each scored once by the frame network. These rates compare people with one another; "
    "those of clips are others, because a clip’s probability rests on many frames. The names of groups are "
    "those of the data set."
)
NOT_LOOKED_AT = (
    "Sound: a cloned or exchanged voice goes unnoticed.",
    "Anything but faces: edited backgrounds, captions, objects, and bodies.",
    "Whether a true scene is shown in a false context, or cut so that it misleads.",
)
NOT_SEEN = (
    "Fully synthetic video: scenes and people made by a generator from text or pictures.",
    "Lip-sync: a mouth made to fit another voice, the rest of the face untouched.",
    "Talking heads made from one photograph.",
    "Face swaps and edits by diffusion models, and any tool newer than the clips that it was trained on.",
)
OUT_OF_SCOPE = (
    "A face that is unlike those of its training is not judged (out of scope). The limit is set so that this "
    "happens to one in a hundred ordinary clips. Left unjudged, of what was tried:"
)
STRANGE = {
    "pictures_without_faces": "parts of pictures without a face",
    "pencil": "faces drawn in pencil by a filter",
    "painted": "faces painted by a filter",
    "cartoon": "faces in flat colours with outlines",
}
KNOWN_METHODS = {"Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter"}
"""Where shipped weights saw no other fakes than these, what ``NOT_SEEN`` says is true of them."""

SHARE_WORDS = {
    "true_fakes": "True fakes, each beside its real clip, of all pairs",
    "partly_true": "Of the true fakes, laid over their real frame in part only",
    "cross_blends": "Of the blends made here, those of two people",
    "decoded": "Of the blends made here, faces out of an autoencoder",
    "stills": "Of the blends, those made from still faces",
    "paired_reals": "Of the blends, those made from reals of the fakes’ own source",
}


def title_of(measure: str) -> str:
    return MEASURES.get(measure) or measure.replace("_", " ").capitalize()


def words_for(names: dict[str, str], name: str) -> str:
    return names.get(name) or name.replace("_", " ")


def shown(figure: Figure | None, measure: str, *, is_change: bool = False) -> str:
    """The value with its interval: 0.80 (0.70 to 0.91), 72 % (60 to 90 %), or +3 points (−2 to 8)."""
    if figure is None:
        return "–"
    number = percent if measure in SHARES else decimals
    unit = "" if measure not in SHARES else " points" if is_change else f"{NBSP}%"
    value = number(figure.value) + unit
    if is_change and number(figure.value).strip("0."):
        value = value if figure.value < 0 else f"+{value}"
    if not figure.has_interval or figure.low is None or figure.high is None:
        return value
    high = number(figure.high) + ("" if is_change else unit)
    return f"{value} ({number(figure.low)}{NBSP}to{NBSP}{high})"


def shown_with_n(figure: Figure | None, measure: str) -> str:
    text = shown(figure, measure)
    return f"{text}, n {figure.n}" if figure and figure.n is not None else text


def share(value: float) -> str:
    return f"{percent(value)}{NBSP}%"


def percent(value: float) -> str:
    """Whole percent; with a tenth within one percent of none and of all."""
    digits = 1 if 0.0005 <= min(abs(value), abs(1 - value)) < 0.01 else 0
    return signed(f"{100 * value:.{digits}f}")


def decimals(value: float) -> str:
    return signed(f"{value:.2f}")


def signed(number: str) -> str:
    """With a true minus sign, and none before a zero."""
    return number.replace("-", "−" if float(number) else "")


def clips_of(clips: int | None, fakes: int | None) -> str:
    """56 clips, 30 fake."""
    if clips is None:
        return ""
    return f"{clips} clips" if fakes is None else f"{clips} clips, {fakes} fake"
