"""Prefect task: the study's data, prepared once."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from pegbox.datasets.prepare import prepare
from pegbox.schemas.data import DataSpec, PreparedData, Task
from pegbox.storage.layout import StoreLayout


@task(name="prepare-data", cache_policy=NO_CACHE, persist_result=False)
def prepare_data(spec: DataSpec, task: Task | None, store: StoreLayout) -> PreparedData:
    """Load, split and write the data; found again by its content fingerprint.

    Not cached by Prefect: the fingerprint must be taken from the source at every run, and what it names is looked up
    in the store itself, so that data deleted there is made again.

    Raises:
        DataError: The data cannot be used as declared.
    """
    return prepare(spec, task, store.data)
