"""What the detector raises. Each error a caller can meet carries its failure code."""

from detector.codes import FAILURE_SENTENCES, Failure


class ConfigError(ValueError):
    """A setting has a value that can't be used. The message is one clear sentence."""


class AnalysisError(Exception):
    """A file could not be analysed. ``detail`` is for the log, never for the page."""

    def __init__(self, code: Failure, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail or self.sentence}"

    @property
    def sentence(self) -> str:
        return FAILURE_SENTENCES[self.code]


class NoWeights(AnalysisError):
    """No weights, or weights that do not match their card."""

    def __init__(self, detail: str) -> None:
        super().__init__(Failure.NO_WEIGHTS, detail)

    def __reduce__(self) -> tuple[type["NoWeights"], tuple[str]]:
        return type(self), (self.detail,)
