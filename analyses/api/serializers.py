"""What the API takes and gives, field by field. The schema at ``/api/schema/`` is made of these."""

from typing import Any, ClassVar

from django.http import QueryDict
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analyses.detection import STAGES, Failure, Verdict, installed_models
from analyses.fields import folded
from analyses.models import Analysis, State
from analyses.moderation.cases import case_of
from analyses.moderation.models import Label
from analyses.quotas import Quota

MODEL_HELP = "The name of an installed model (see models), or nothing for the standard one."


class Switch(serializers.BooleanField):
    """In JSON true or false and nothing else; in forms the words that forms have for it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, (bool, str)) or (isinstance(data, str) and self._is_json()):
            self.fail("invalid", input=data)
        return bool(super().to_internal_value(data))

    def _is_json(self) -> bool:
        return not isinstance(self.root.initial_data, QueryDict)


class OptionsFields(serializers.Serializer[Any]):
    """What an analysis is asked for."""

    backbone = serializers.ChoiceField(
        choices=(),
        required=False,
        allow_blank=True,
        default="",
        help_text=MODEL_HELP,
        error_messages={"invalid_choice": "This model is not installed."},
    )
    stability = Switch(
        required=False,
        default=False,
        help_text="Also check whether the verdict holds for compressed copies.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["backbone"]
        assert isinstance(field, serializers.ChoiceField)
        field.choices = [model.backbone for model in installed_models() if model.backbone]


class SubmissionFields(OptionsFields):
    video = serializers.FileField(allow_empty_file=True, help_text="The video file.")


class SubmissionQuery(serializers.Serializer[Any]):
    anew = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Analyse again where there is a result of the same file already, unless one is under way.",
    )


class ListQuery(serializers.Serializer[Any]):
    """The filters of the list. All that are given must hold."""

    state = serializers.ChoiceField(State.choices, required=False)
    verdict = serializers.ChoiceField([str(verdict) for verdict in Verdict], required=False)
    model = serializers.CharField(required=False, max_length=100, help_text="The name of the model.")
    since = serializers.DateTimeField(required=False, help_text="Submitted at this time or later.")
    until = serializers.DateTimeField(required=False, help_text="Submitted before this time.")
    text = serializers.CharField(required=False, max_length=200, help_text="Part of the file's name.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=100, help_text="Of a page.")

    LOOKUPS: ClassVar[dict[str, str]] = {
        "state": "state",
        "verdict": "verdict",
        "model": "model_name",
        "since": "created_at__gte",
        "until": "created_at__lt",
    }

    def lookups(self) -> dict[str, object]:
        asked = self.validated_data
        found = {lookup: asked[name] for name, lookup in self.LOOKUPS.items() if name in asked}
        return found | ({"name_key__contains": folded(asked["text"])} if "text" in asked else {})


class FrameQuery(serializers.Serializer[Any]):
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10_000_000)
    limit = serializers.IntegerField(required=False, default=500, min_value=1, max_value=5000)


class VideoDocument(serializers.Serializer[Any]):
    name = serializers.CharField(source="original_name", help_text="As it was uploaded.")
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField()


class ModelDocument(serializers.Serializer[Any]):
    name = serializers.CharField(source="model_name")
    version = serializers.CharField(source="model_version")
    sha256 = serializers.CharField(source="model_sha256", help_text="Of the weights.")


class FailureDocument(serializers.Serializer[Any]):
    code = serializers.ChoiceField([str(code) for code in Failure], source="failure")
    message = serializers.CharField(source="failure_sentence")


class ProgressDocument(serializers.Serializer[Any]):
    stage = serializers.ChoiceField([*STAGES, ""])
    done = serializers.IntegerField(source="progress_done", help_text="Of the present stage.")
    total = serializers.IntegerField(source="progress_total", help_text="0 where it isn't known.")


class DecisionDocument(serializers.Serializer[Any]):
    """What a moderator found. It stands beside the result, which it never changes."""

    found = serializers.ChoiceField(Label.values, source="label")
    overruled = serializers.BooleanField(source="is_overruled", help_text="Whether the model said otherwise.")
    reason = serializers.CharField(source="judgement.reason", help_text="Empty where none was given.")
    decided_at = serializers.DateTimeField(source="judgement.created_at")


class LinksDocument(serializers.Serializer[Any]):
    """Addresses, without the host."""

    page = serializers.CharField(help_text="For people.")
    result = serializers.CharField()
    frames = serializers.CharField()
    csv = serializers.CharField()
    json = serializers.CharField()
    pdf = serializers.CharField()
    zip = serializers.CharField()
    evidence = serializers.ListField(child=serializers.CharField())


class ListedAnalysis(serializers.ModelSerializer[Analysis]):
    """An analysis as the list shows it."""

    url = serializers.SerializerMethodField()
    video = VideoDocument(read_only=True)
    backbone = serializers.CharField(read_only=True, help_text="As it was asked for. " + MODEL_HELP)
    verdict = serializers.SerializerMethodField()
    fake_probability = serializers.FloatField(read_only=True, allow_null=True, min_value=0, max_value=1)
    model = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()

    class Meta:
        model = Analysis
        fields: tuple[str, ...] = (
            "uuid", "url", "state", "video", "backbone", "stability", "verdict", "fake_probability",
            "threshold", "model", "failure", "created_at", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_url(self, analysis: Analysis) -> str:
        return address_of(analysis)

    @extend_schema_field(serializers.ChoiceField([str(verdict) for verdict in Verdict], allow_null=True))
    def get_verdict(self, analysis: Analysis) -> str | None:
        return analysis.verdict or None

    @extend_schema_field(ModelDocument(allow_null=True))
    def get_model(self, analysis: Analysis) -> dict[str, Any] | None:
        return ModelDocument(analysis).data if analysis.is_done else None

    @extend_schema_field(FailureDocument(allow_null=True))
    def get_failure(self, analysis: Analysis) -> dict[str, Any] | None:
        return FailureDocument(analysis).data if analysis.failure else None


class AnalysisDocument(ListedAnalysis):
    """An analysis with how far it is and where the rest of it is found."""

    progress = ProgressDocument(source="*", read_only=True)
    queue_position = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="1 is next; null once a worker took it."
    )
    cancel_requested = serializers.BooleanField(read_only=True)
    decision = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta(ListedAnalysis.Meta):
        fields = (
            *ListedAnalysis.Meta.fields,
            "progress",
            "queue_position",
            "cancel_requested",
            "decision",
            "links",
        )
        read_only_fields = fields

    @extend_schema_field(DecisionDocument(allow_null=True))
    def get_decision(self, analysis: Analysis) -> dict[str, Any] | None:
        case = case_of(analysis)
        return DecisionDocument(case).data if case.judgement else None

    @extend_schema_field(LinksDocument)
    def get_links(self, analysis: Analysis) -> dict[str, Any]:
        names = ("result", "frames", "csv", "json", "pdf", "zip")
        links = {name: reverse(f"api_{name}", args=[analysis.uuid]) for name in names}
        return {"page": analysis.get_absolute_url(), **links, "evidence": _evidence_of(analysis)}


def address_of(analysis: Analysis) -> str:
    return reverse("api_analysis", args=[analysis.uuid])


def _evidence_of(analysis: Analysis) -> list[str]:
    entries = (analysis.document or {}).get("evidence", [])
    names = [name for entry in entries for name in (entry["crop"], entry["heatmap"])]
    return [reverse("api_evidence", args=[analysis.uuid, name]) for name in names]


class InstalledModelDocument(serializers.Serializer[Any]):
    backbone = serializers.CharField(help_text="What to ask for; empty for the standard model.")
    name = serializers.CharField(source="weights.name")
    version = serializers.CharField(source="weights.version")
    sha256 = serializers.CharField(source="weights.sha256")


class InstalledModelsDocument(serializers.Serializer[Any]):
    models = InstalledModelDocument(many=True)


class FrameDocument(serializers.Serializer[Any]):
    frame = serializers.IntegerField(help_text="Counts from 0, in the order of presentation.")
    time_s = serializers.FloatField()
    track = serializers.IntegerField(help_text="Which face.")
    box = serializers.ListField(
        child=serializers.IntegerField(), help_text="x, y, width and height in pixels."
    )
    score = serializers.FloatField()


class FramesDocument(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True, help_text="The address of the next page.")
    previous = serializers.CharField(allow_null=True)
    results = FrameDocument(many=True)


class StatesDocument(serializers.Serializer[Any]):
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class QuotaDocument(serializers.Serializer[Any]):
    quota = serializers.ChoiceField(
        choices=[str(quota) for quota in Quota],
        help_text="Analyses and seconds of video in 24 hours, bytes stored, analyses at once.",
    )
    used = serializers.FloatField()
    held = serializers.FloatField(help_text="What analyses under way may still need.")
    limit = serializers.FloatField(allow_null=True, help_text="null: none.")


class UsageDocument(serializers.Serializer[Any]):
    analyses = StatesDocument()
    videos = serializers.IntegerField()
    bytes_stored = serializers.IntegerField(help_text="Of the uploaded files.")
    uploads_open = serializers.IntegerField()
    quotas = QuotaDocument(many=True)


class DetectPrediction(serializers.Serializer[Any]):
    is_deepfake = serializers.BooleanField(allow_null=True, help_text="null: inconclusive.")
    confidence = serializers.FloatField(allow_null=True, help_text="The probability of the stated verdict.")
    model = serializers.CharField()


class DetectFrame(serializers.Serializer[Any]):
    frame = serializers.IntegerField(help_text="Counts from 1.")
    score = serializers.FloatField(help_text="The highest over the faces in it.")


class DetectDocument(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["success"])
    prediction = DetectPrediction()
    frame_analysis = DetectFrame(many=True)
    processing_time = serializers.CharField(help_text='Like "2.34s".')
    verdict = serializers.ChoiceField([str(verdict) for verdict in Verdict])
    analysis = serializers.CharField(help_text="The address of the analysis.")


class DetectPending(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["pending"])
    analysis = serializers.CharField()


class DetectErrorBody(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class DetectError(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["error"])
    error = DetectErrorBody()


class UploadDocument(serializers.Serializer[Any]):
    """How far an upload is, and what became of it."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()
    size = serializers.IntegerField()
    received = serializers.IntegerField()
    open = serializers.BooleanField(help_text="Whether more of it may come.")
    url = serializers.CharField(allow_null=True, help_text="The analysis that it became.")
    problem = serializers.DictField(allow_null=True)
