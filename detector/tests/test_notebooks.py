"""Both notebooks run from the first cell to the last, on the small set that they make themselves."""

import csv
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from detector import DetectorConfig, Verdict, find_weights

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
NAMES = ("training", "evaluation")


@pytest.fixture
def anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything goes that a kernel writes."""
    for name in ("TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def read(name: str) -> Any:
    path = NOTEBOOKS / f"{name}.ipynb"
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def last_words(name: str) -> str:
    """What the last code cell prints, once all cells ran. Raises CellExecutionError where one fails."""
    notebook = read(name)
    there = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=there).execute()
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    return "".join(output.text for output in last.outputs if output.output_type == "stream")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_training_notebook_ends_with_weights_that_judge_clips(anywhere: Path) -> None:
    words = last_words("training").split()
    [path] = anywhere.rglob("weights/efficientnet_lstm.safetensors")
    assert find_weights(DetectorConfig(model_path=path)).version == "notebook"
    assert words.count("notebook") == sum(words.count(verdict) for verdict in Verdict) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_evaluation_notebook_ends_with_figures_plots_and_what_time_does(anywhere: Path) -> None:
    words = last_words("evaluation")
    [path] = anywhere.rglob("figures.csv")
    with path.open(newline="", encoding="utf-8") as file:
        areas = [row for row in csv.DictReader(file) if row["measure"] == "auc" and row["by"] == "all"]
    assert [(row["clips"], row["fakes"], row["groups"]) for row in areas] == [("10", "5", "5")]
    assert {"roc.png", "reliability.png"} <= {plot.name for plot in anywhere.rglob("*.png")}
    assert "shuffled" in words


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_kept_without_outputs(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
