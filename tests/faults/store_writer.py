"""A program that the fault tests kill: a driver and its worker, writing trials as fast as they can.

Each event that was acknowledged is said on standard output afterwards, so that the test knows what must not be lost.
"""

import socket
import sys
import time
from pathlib import Path

from pegbox.schemas.decision import Start
from pegbox.schemas.events import (
    DecisionMade,
    MetricsReported,
    RunStarted,
    SegmentStarted,
    SegmentTrained,
    TrialEvaluated,
)
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.journal import Journal
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

STEPS = 20


def make_spec(name: str) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": name,
            "train": {"kind": "function", "function": "my_project.train:run", "epochs": STEPS},
            "space": {"lr": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": "val_loss"},
            "budget": {"trials": 1_000_000},
        }
    )


def main(root: str, name: str, run: str, host: str = "", pause: str = "0") -> None:
    if host:  # as if it ran on another machine
        socket.gethostname = lambda: host
    store, spec = open_store(Path(root)), make_spec(name)
    log = open_study(store, spec, RunStarted(study=name, run=run, host="h", pid=1))
    worker = Journal(store.journal, "worker", rotate_bytes=200_000)
    print("open", len(log.history.trials), flush=True)
    while True:
        number = len(log.history.trials)
        configuration = {"lr": (number % 100) / 100}
        segment = Segment(
            study=name, trial=number, configuration=configuration, seed=0, to_budget=STEPS, train=spec.train, code="c"
        )
        log.record(
            DecisionMade(
                study=name,
                number=log.history.n_decisions,
                saw=log.history.version,
                elapsed_seconds=0.0,
                decision=Start(configuration=configuration, to_budget=STEPS),
                trial=number,
                seed=0,
            ),
            SegmentStarted(study=name, run=run, segment=segment),
        )
        print("started", number, flush=True)
        worker.append(
            *(
                MetricsReported(
                    study=name, trial=number, attempt=1, fold=0, seed=0, step=step, metrics={"val_loss": 1.0}
                )
                for step in range(1, STEPS + 1)
            )
        )
        print("reported", number, flush=True)
        log.record(
            SegmentTrained(
                study=name,
                trial=number,
                attempt=1,
                from_budget=0,
                to_budget=STEPS,
                fold=0,
                seed=0,
                trained=TrainedSegment(budget=STEPS, seconds=0.1),
            ),
            TrialEvaluated(
                study=name,
                trial=number,
                evaluation=Evaluation(budget=STEPS, metrics={"val_loss": 1.0}),
                state="completed",
            ),
        )
        print("completed", number, flush=True)
        time.sleep(float(pause))


if __name__ == "__main__":
    main(*sys.argv[1:])
