"""Everything that is wrong with a study before it runs: gathers what each room checks; loads no Prefect, no torch."""

from collections.abc import Iterator

from pegbox.datasets.check import check_data
from pegbox.schemas.errors import Problem
from pegbox.schemas.study import StudySpec
from pegbox.search.methods import check_search
from pegbox.training.kinds import check_training


def check_study(spec: StudySpec) -> tuple[Problem, ...]:
    """Problems in the order of a study file; empty where the study can run, as far as this can be told before it does.

    Reads the header of the data and imports what the study names by import path; trains and writes nothing.
    """
    return (
        *(check_data(spec.data) if spec.data else ()),
        *check_training(spec),
        *check_search(spec),
        *_check_available(spec),
    )


def _check_available(spec: StudySpec) -> Iterator[Problem]:
    """The parts of a study that can be written and that nothing acts on yet: refused, never ignored."""
    if spec.space.preset is not None:
        yield Problem("presets are not available yet. Write the parameters out.", ("space", "preset"))
    for name, domain in spec.space.parameters.items():
        if domain.prior is not None:
            yield Problem("priors are not available yet. Leave the prior out.", ("space", name, "prior"))
    if spec.objectives:
        yield Problem("several objectives are not available yet. Write one `objective`.", ("objectives",))
    if spec.run.engine != "local":
        message = f"the engine {spec.run.engine!r} is not available yet. Write `engine: local`."
        yield Problem(message, ("run", "engine"))
    if spec.run.address is not None:
        yield Problem("clusters are not available yet. Leave the address out.", ("run", "address"))
