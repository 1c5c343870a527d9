"""The web service of the how-to answers as the model does."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_model import customers

import pegbox

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-model.md"


def test_service_of_the_how_to_answers_rows(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r'```python title="serve.py"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    model: Any = pegbox.load_model(model_file, device="cpu")
    monkeypatch.setattr(pegbox, "load_model", lambda _name: model, raising=False)
    module: dict[str, Any] = {}
    exec(found[1], module)
    columns = customers(4)
    rows = [
        {name: None if column[i] != column[i] else str(column[i]) for name, column in columns.items()} for i in range(4)
    ]

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(module["app"]), base_url="http://model") as client:
            return await client.post("/predict", json=rows)

    answer = asyncio.run(ask())

    assert answer.status_code == 200
    assert answer.json() == model.predict(customers(4)).tolist()
