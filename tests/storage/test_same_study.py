"""What a study that goes on may not change."""

import pytest

from pegbox.schemas.errors import StudyMismatchError
from pegbox.storage.same_study import check_full_budget
from pegbox.testing.studies import finished, study


def test_another_fidelity_is_refused_once_there_are_trials() -> None:
    epochs, sizes = study(), study(fidelity={"of": "image_size", "min": 16, "max": 64})
    tried = finished(epochs, [{"lr": 0.1}], [None])

    with pytest.raises(StudyMismatchError, match=r"compared by 'epochs', .* that count 'image_size'"):
        check_full_budget(tried, sizes)

    check_full_budget(tried.model_copy(update={"trials": ()}), sizes)
