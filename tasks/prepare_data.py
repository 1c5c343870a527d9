"""Prefect task: the study's data, prepared once."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from pegbox.datasets.prepare import prepare
from pegbox.report.data_summary import understand_prepared
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import StudyError
from pegbox.schemas.plan import Rows
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout
from pegbox.training.check_prepared import check_prepared


@task(name="prepare-data", cache_policy=NO_CACHE, persist_result=False)
def prepare_data(spec: StudySpec, store: StoreLayout) -> PreparedData | None:
    """Load, split and write the data, found again by its content fingerprint; None where training brings its own.

    What it was taken for, and what reaches without any tuning, is written beside it.

    Not cached by Prefect: the fingerprint must be taken from the source at every run, and what it names is looked up
    in the store itself, so that data deleted there is made again.

    Raises:
        DataError: The data cannot be used as declared.
        StudyError: The study cannot train on this data.
    """
    if spec.data is None:
        return None
    data = prepare(spec.data, spec.task, store.data)
    if problems := check_prepared(spec, data):
        raise StudyError(problems)
    understand_prepared(data)
    return data


@task(name="prepare-all-rows", cache_policy=NO_CACHE, persist_result=False)
def prepare_all_rows(spec: StudySpec, store: StoreLayout, learn_from: Rows = "not held out") -> PreparedData:
    """The same data with more rows in the training part, for the model that a study ends in.

    Raises:
        DataError: The data cannot be used as declared.
    """
    assert spec.data is not None
    return prepare(spec.data, spec.task, store.data, learn_from=learn_from)
