"""Free text as numbers: TF-IDF of the most frequent words, or hashed words; scikit-learn counts them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pegbox.schemas.data import TextSpec
from pegbox.schemas.errors import DataError
from pegbox.schemas.preprocessing import TextFeature

Texts = npt.NDArray[np.object_]


def as_texts(column: pa.ChunkedArray) -> Texts:
    """Shape (n_rows,); a missing text is an empty one, which has no words."""
    texts: Texts = pc.fill_null(column.cast(pa.large_string()), "").to_numpy(zero_copy_only=False).astype(object)
    return texts


def learn_texts(spec: TextSpec | None, texts: Mapping[str, Texts]) -> tuple[TextFeature, ...]:
    """What the training rows teach of each column of free text.

    Raises:
        DataError: A column has no word.
    """
    if spec is None:
        return ()
    return tuple(_learn(spec, name, column) for name, column in texts.items())


def _learn(spec: TextSpec, name: str, texts: Texts) -> TextFeature:
    if spec.method == "hashing":
        return TextFeature(name=name, method=spec.method, width=spec.width)
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(max_features=spec.width, sublinear_tf=True)
    try:
        vectorizer.fit(texts)
    except ValueError as error:  # what it says of a vocabulary that is empty
        raise DataError(
            f"data.text.columns: {name!r} holds no word in the training rows. Take it out, and add it to data.drop."
        ) from error
    words = tuple(str(word) for word in vectorizer.get_feature_names_out())
    return TextFeature(
        name=name, method=spec.method, width=spec.width, words=words, weights=tuple(vectorizer.idf_.tolist())
    )


def text_numbers(features: Iterable[TextFeature], texts: Mapping[str, Texts]) -> npt.NDArray[np.float32]:
    """The numbers of all columns of free text, shape (n_rows, widths together).

    Each text has the length 1, a text without a known word 0: dense, for the width is bounded.
    """
    return np.hstack([_numbers(feature, texts[feature.name]) for feature in features])


def _numbers(feature: TextFeature, texts: Texts) -> npt.NDArray[np.float32]:
    numbers = np.zeros((len(texts), feature.width), dtype=np.float32)
    found = _vectorizer(feature).transform(texts)
    numbers[:, : found.shape[1]] = found.toarray()
    return numbers


def _vectorizer(feature: TextFeature) -> Any:
    """As it was fitted; it holds words and weights, and no code."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

    if feature.method == "hashing":
        return HashingVectorizer(n_features=feature.width)
    vectorizer = TfidfVectorizer(vocabulary=feature.words, sublinear_tf=True)
    vectorizer.idf_ = np.array(feature.weights)
    return vectorizer


def names_of_texts(spec: TextSpec | None, columns: Iterable[str]) -> tuple[str, ...]:
    """Of their numbers, which are other words in each fold."""
    return tuple(f"{name} [{place}]" for name in columns for place in range(spec.width if spec else 0))
