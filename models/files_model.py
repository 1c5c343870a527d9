"""The model of a study whose training is the user's own code: the files that it left, for the user's code to load."""

from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from pegbox.models.artefact import open_artefact
from pegbox.models.write_model import FILES
from pegbox.schemas.errors import ModelError
from pegbox.schemas.model import ModelManifest


class FilesModel:
    """Says what it is and hands out its files; it cannot predict, because only the user's code knows how.

    Attributes:
        path: Of its file.
        card: What it is, how sure that is, and where its limits are.
        configuration: The winner's.
        lineage: Where it comes from.
        files: Names of what the training left in its checkpoint directory.
    """

    def __init__(self, path: Path, manifest: ModelManifest) -> None:
        self.path, self.manifest = path, manifest
        self.card, self.configuration, self.lineage = manifest.card, manifest.configuration, manifest.lineage
        self.files = tuple(name.removeprefix(FILES) for name in manifest.members)

    def unpack(self, directory: str | Path) -> Path:
        """Write the files into a directory, made where there is none; gives it back.

        Raises:
            ModelError: The model is damaged, or a name in it leads out of the directory.
        """
        directory = Path(directory)
        with open_artefact(self.path) as artefact:
            for name in artefact.manifest.members:
                below = PurePosixPath(name.removeprefix(FILES))
                if below.is_absolute() or ".." in below.parts or not name.startswith(FILES):
                    raise ModelError(f"The model {str(self.path)!r} names a file {name!r} that leads out of it.")
                target = directory / below
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(artefact.read(name))
        return directory

    def predict(self, rows: Any) -> NoReturn:
        """Refused: only the user's code knows how.

        Raises:
            ModelError: Always.
        """
        raise ModelError(self.why_it_cannot_predict)

    predict_proba = predict

    @property
    def why_it_cannot_predict(self) -> str:
        """What it is instead, in two sentences."""
        train = self.manifest.train
        who = getattr(train, "function", None) or getattr(train, "trainer", None) or "a program"
        return (
            f"The model of {self.lineage.study!r} was trained by {who} (kind {train.kind!r}) and is the files that it "
            f"left: {', '.join(self.files[:5])}. Write them with load_model(...).unpack(directory) and load them "
            "in your own code."
        )

    def __repr__(self) -> str:
        return f"<{self.card.title}>"
