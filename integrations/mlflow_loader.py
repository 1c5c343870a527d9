"""What MLflow calls to load a registered model: `mlflow.pyfunc.load_model(...).predict(rows)`."""

from typing import Any

import pegbox


class PegboxModel:
    """A model of pegbox's as MLflow asks one."""

    def __init__(self, path: str) -> None:
        self.model = pegbox.load_model(path)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """A class or a number for each row; with `params={"probabilities": True}` the probabilities.

        Raises:
            DataError: Columns are missing, or hold something else than in training.
            ModelError: Probabilities are asked for, and there are none.
        """
        if (params or {}).get("probabilities"):
            return self.model.predict_proba(model_input)
        return self.model.predict(model_input)


def _load_pyfunc(path: str) -> PegboxModel:
    return PegboxModel(path)
