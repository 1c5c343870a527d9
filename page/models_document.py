"""The models that a study ended in, as a document; gathered in `models_block`. Times and values as in `document`."""

from pydantic import Field, FiniteFloat

from pegbox.schemas.base import Metrics, Schema
from pegbox.schemas.model import Lineage, ModelCard


class ModelRow(Schema):
    """One model."""

    name: str
    """By which `pegbox predict` knows it."""
    standing: str
    """`current of digits`, `latest`, ..."""
    trial: int
    form: str
    final: str
    metrics: Metrics
    """On the held-out rows."""
    made_at: FiniteFloat
    n_bytes: int
    is_gone: bool
    """True where its file was deleted."""
    card: ModelCard | None
    """As its file holds it; None of further models, and where it cannot be read."""
    lineage: Lineage | None
    note: str = ""
    """Why there is no card, where one is wanted."""
    commands: tuple[str, ...] = ()
    """To use it, to be copied."""


class Models(Schema):
    """The models of a study."""

    rows: tuple[ModelRow, ...] = ()
    """The current one first, then the newest."""
    absence: str = ""
    """Why the study ended in none; empty while that is not known, and where it has one."""
    fields: dict[str, str] = Field(default={})
    """Field of a card to what it says: the page shows whatever a card holds."""
