"""How the columns of a table enter a network: shared by the kinds that read tables."""

from typing import Literal

from pydantic import Field

from pegbox.schemas.base import Schema


class TableHyperparameters(Schema):
    """What becomes of categorical columns."""

    categories: Literal["embedding", "onehot"] = "embedding"
    """Learn a vector for each category, or give each its own input."""
    embedding_size: int | None = Field(default=None, ge=1)
    """Length of the vectors; by the number of categories where it is left out."""
