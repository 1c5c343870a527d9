"""TensorBoard: a folder of event files for each trial, with its curve and its parameters for the HParams tab."""

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from pegbox.schemas.tracked import TrackedAnswer, TrackedPoint, TrackedTrial
from pegbox.schemas.trial import TrialState


class TensorboardTracker:
    """A `Tracker`; the folders of a study are its own, and are written anew by each process."""

    def __init__(self, study: str, place: Path) -> None:
        self._folder = place / re.sub(r"[^\w.-]", "_", study)
        self._writers: dict[int, EventFileWriter] = {}

    def n_shown(self, trial: int) -> int:
        """See `Tracker.n_shown`; event files are written anew, as what they hold cannot be told without reading all."""
        return 0

    def show(self, trial: TrackedTrial, points: Sequence[TrackedPoint]) -> None:
        """See `Tracker.show`."""
        writer = self._writers.get(trial.number) or self._begin(trial)
        for point in points:
            _write(writer, Summary.Value(tag=point.name, simple_value=point.value), point.step)
        if trial.state.is_finished:
            for name, value in trial.metrics.items():
                _write(writer, Summary.Value(tag=f"final/{name}", simple_value=value))
            status = Status.STATUS_FAILURE if trial.state is TrialState.FAILED else Status.STATUS_SUCCESS
            end = SessionEndInfo(status=status, end_time_secs=time.time())
            _write(writer, _hparams("session_end_info", session_end_info=end))
        writer.flush()

    def close(self, answer: TrackedAnswer | None) -> None:
        """See `Tracker.close`; the answer is a text beside the folders of its trials."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        if answer is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / "answer.json").write_text(answer.model_dump_json(indent=2), encoding="utf-8")

    def _begin(self, trial: TrackedTrial) -> EventFileWriter:
        folder = self._folder / f"trial-{trial.number:04d}"
        shutil.rmtree(folder, ignore_errors=True)  # what an earlier process wrote: TensorBoard would show both
        writer = self._writers[trial.number] = EventFileWriter(str(folder))
        start = SessionStartInfo(group_name=folder.name, start_time_secs=time.time())
        for name, value in trial.configuration.items():
            if isinstance(value, bool):
                start.hparams[name].bool_value = value
            elif isinstance(value, int | float):
                start.hparams[name].number_value = value
            else:
                start.hparams[name].string_value = str(value)
        _write(writer, _hparams("session_start_info", session_start_info=start))
        return writer


def _hparams(tag: str, **content: Any) -> Summary.Value:
    """A message of the HParams plugin, under the tags that it looks for."""
    data = HParamsPluginData(version=0, **content).SerializeToString()
    plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=data)
    return Summary.Value(tag=f"_hparams_/{tag}", metadata=SummaryMetadata(plugin_data=plugin))


def _write(writer: EventFileWriter, value: Summary.Value, step: int = 0) -> None:
    writer.add_event(Event(summary=Summary(value=[value]), step=step, wall_time=time.time()))
