"""What a directory must be like to hold a store."""

import os
from pathlib import Path

import pytest

from pegbox.schemas.errors import StoreUnwritableError
from pegbox.storage.store import open_store


def test_a_store_whose_path_is_no_text_is_refused(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"caf\xe9") / ".pegbox"

    with pytest.raises(StoreUnwritableError, match=r"must be UTF-8 text, got .*caf\\udce9") as raised:
        open_store(root)

    assert str(raised.value).encode()
    assert not root.parent.exists()
