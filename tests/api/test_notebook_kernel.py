"""A real notebook without a browser: the live cell, the stop button, and the same cell run again."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import pegbox

pytestmark = [pytest.mark.flow, pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # Jupyter's own warnings

CELL = """
import time
from pathlib import Path
import pegbox

study = pegbox.Study(
    name="bowl",
    space={"x": pegbox.Float(0, 1)},
    objective={"metric": "value"},
    budget={"trials": 4},
    run={"workers": 1},
    finalists={"top": 1, "seeds": 1},
    store="store",
)

def train(x):
    is_first = not Path("begun").exists()
    Path("begun").touch()
    while not is_first and not Path("enough").exists():
        time.sleep(0.05)
    return {"value": (x - 0.3) ** 2}

study.run(train)
"""
PATIENCE_SECONDS = 300.0


def n_evaluated(folder: Path) -> int:
    files = (folder / "store" / "journal").glob("*driver*")
    return sum(file.read_text(errors="replace").count('"trial_evaluated"') for file in files)


def press_stop(client, folder: Path) -> None:
    """As the stop button does: an interrupt to the kernel and all that it has started; then what runs may finish."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while n_evaluated(folder) < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(client.km.provisioner.pgid, signal.SIGINT)
    time.sleep(1)
    (folder / "enough").touch()


def html_of(cell) -> str:
    shown = [one["data"].get("text/html", "") for one in cell.outputs if one.output_type == "display_data"]
    return "".join(shown)


def test_a_cell_that_was_stopped_goes_on_where_it_is_run_again(tmp_path, prefect_api, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    cell = nbformat.v4.new_code_cell(CELL)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = nbclient.NotebookClient(
        notebook, timeout=PATIENCE_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )

    with client.setup_kernel():
        stop = threading.Thread(target=press_stop, args=(client, tmp_path))
        stop.start()
        with pytest.raises(nbclient.exceptions.CellExecutionError, match="KeyboardInterrupt"):
            client.execute_cell(cell, 0)
        stop.join()
        stopped = html_of(cell), n_evaluated(tmp_path)
        client.execute_cell(cell, 0)

    history = pegbox.open(tmp_path / "store").sql("SELECT number, value FROM trials ORDER BY 1").fetchall()
    assert 1 <= stopped[1] < 4
    assert "<b>bowl</b>" in stopped[0]
    assert "4 completed" in html_of(cell)
    assert [number for number, _ in history] == [0, 1, 2, 3]
    assert not [one for one in cell.outputs if one.output_type == "stream" and one.name == "stderr"]
