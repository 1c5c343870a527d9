from pathlib import Path

import numpy as np
import pytest

from pegbox.datasets.prepare import prepare
from pegbox.datasets.prepared import open_prepared
from pegbox.datasets.sklearn_sets import BUNDLED, GENERATED, SklearnSource
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError


@pytest.mark.parametrize("name", [*BUNDLED, *GENERATED])
def test_every_known_set_is_prepared_for_its_task(name: str, root: Path) -> None:
    data = prepare(DataSpec(source=f"sklearn:{name}"), None, root)

    assert data.task == (BUNDLED.get(name) or GENERATED[name][0])
    assert np.isfinite(open_prepared(data, 0).train.numeric).all()


def test_digits_keep_the_shape_of_an_image(root: Path) -> None:
    data = prepare(DataSpec(source="sklearn:digits"), None, root)

    assert data.shape == (1, 8, 8)
    assert data.classes == tuple("0123456789")


def test_dropped_pixels_leave_no_image(root: Path) -> None:
    data = prepare(DataSpec(source="sklearn:digits", drop=("pixel_0_0",)), None, root)

    assert data.shape is None
    assert len(data.numeric) == 63


def test_classes_carry_the_names_of_the_set() -> None:
    loaded = SklearnSource("iris").load()

    assert set(loaded.table["target"].to_pylist()) == {"setosa", "versicolor", "virginica"}


def test_generated_rows_are_the_same_every_time() -> None:
    assert SklearnSource("moons").load().table.equals(SklearnSource("moons").load().table)


def test_misspelt_set_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DataError, match=r"no set 'digit' .* Did you mean 'digits'\? Known: .*wine"):
        SklearnSource("digit")


def test_set_that_needs_a_download_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"'california_housing' would be downloaded.*function of your own"):
        SklearnSource("california_housing")


def test_set_with_three_targets_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="'linnerud' has three targets"):
        SklearnSource("linnerud")
