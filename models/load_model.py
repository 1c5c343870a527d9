"""Loads a model by its name or file, without Prefect, DuckDB or any code of the file."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pegbox.models.artefact import open_artefact
from pegbox.models.ensemble import EnsemblePredictor
from pegbox.models.files_model import FilesModel
from pegbox.models.model_names import find_model
from pegbox.models.study_model import StudyModel
from pegbox.schemas.train import Device
from pegbox.storage.layout import StoreLayout
from pegbox.storage.sharing.address import local_root
from pegbox.training.kinds.registry import model_form_of, weights_form_of
from pegbox.training.model_form import Opened


def load_model(
    name: str | Path,
    *,
    store: str | Path | None = None,
    device: Device = "auto",
    trusted: Sequence[str] = (),
) -> StudyModel | FilesModel:
    """The model of a study.

    Args:
        name: `digits` (the newest model of the study), `digits@current` (the promoted one), `digits@RUN` (that of one
            run, as `pegbox models` lists them), or the path of a model's file.
        store: Directory or URL of the history; `PEGBOX_STORE`, or `.pegbox`, where it is None.
        device: To compute on; `auto` takes a GPU where there is one.
        trusted: Code of your own that the model is made of, which loading imports: classes of an estimator, as
            `module.Name`, or the module of a network, as `module:Name`.

    Raises:
        ModelError: There is no such model, it is damaged, or of another version of the format.
    """
    root = local_root(store if store is not None else os.environ.get("PEGBOX_STORE") or ".pegbox")
    path = find_model(StoreLayout(root.absolute()), str(name))
    with open_artefact(path) as artefact:
        manifest = artefact.manifest
        form = model_form_of(manifest.train)
        if manifest.form == "files" or form is None or manifest.inputs is None:
            return FilesModel(path, manifest)
        opened = partial(Opened, inputs=manifest.inputs, device=device, trusted=trusted)
        if not manifest.ensemble:
            weights = artefact.read(form.member)
            single = opened(weights=weights, train=manifest.train, configuration=manifest.configuration)
            return StudyModel(path, manifest, form.open(single))
        several = [
            weights_form_of(train).open(opened(artefact.read(one.member), train, one.configuration))
            for one in manifest.ensemble
            for train in (one.train or manifest.train,)
        ]
    shares = [one.weight for one in manifest.ensemble]
    return StudyModel(path, manifest, EnsemblePredictor(several, shares, manifest.inputs.n_classes))
