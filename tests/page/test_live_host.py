"""The live host answers who belongs here, with what the store holds, and lets SQL only read."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pyarrow.parquet
import pytest

from pegbox.page.document import StudyPage
from pegbox.page.http_server import bind
from pegbox.page.live_access import AccessRule, is_loopback
from pegbox.page.live_sql import Asked, SqlConsole, Wanted
from pegbox.schemas.errors import PageError, QueryError
from pegbox.storage.sandbox import Limits

ENDLESS = "SELECT count(*) FROM range(1000000000) AS a, range(1000000000) AS b WHERE a.range % 7 = b.range % 11"


@pytest.fixture(scope="module")
def client(simulated_store: Path, serve_live: Callable[..., str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serve_live(simulated_store), timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def guarded(simulated_store: Path, serve_live: Callable[..., str]) -> Iterator[httpx.Client]:
    """A client of a host that asks for a token."""
    with httpx.Client(base_url=serve_live(simulated_store, AccessRule(token="secret")), timeout=60) as opened:
        yield opened


def test_page_is_the_document_of_the_study(client: httpx.Client) -> None:
    page = StudyPage.model_validate_json(client.get("/api/page", params={"study": "higgs-mlp"}).content)

    assert page.head.n_trials == 120
    assert page.answer is not None


def test_analysis_comes_after_the_page(client: httpx.Client) -> None:
    deadline = time.monotonic() + 90
    page = StudyPage.model_validate_json(client.get("/api/page", params={"study": "higgs-mlp"}).content)
    while page.analysis.state != "ready" and time.monotonic() < deadline:
        time.sleep(0.5)
        page = StudyPage.model_validate_json(client.get("/api/page", params={"study": "higgs-mlp"}).content)

    assert page.analysis.version == page.head.version > 0
    assert page.analysis.knobs.rows
    assert page.analysis.effects


def test_unknown_study_is_not_found(client: httpx.Client) -> None:
    response = client.get("/api/page", params={"study": "higgs"})

    assert response.status_code == 404
    assert "higgs-mlp" in response.json()["error"]


def test_every_answer_is_strict(client: httpx.Client) -> None:
    for path in ("/", "/page.js", "/api/studies", "/nowhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_another_host_name_is_refused(client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_another_origin_is_refused(client: httpx.Client) -> None:
    response = client.post("/api/sql", json={"id": "1", "sql": "SELECT 1"}, headers={"Origin": "http://evil.example"})

    assert response.status_code == 403


def test_request_from_another_page_is_refused(client: httpx.Client) -> None:
    assert client.get("/api/studies", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_form_cannot_send_a_query(client: httpx.Client) -> None:
    response = client.post("/api/sql", content='{"id": "1", "sql": "SELECT 1"}', headers={"Content-Type": "text/plain"})

    assert response.status_code == 415


def test_without_token_nothing_is_shown(guarded: httpx.Client) -> None:
    assert guarded.get("/api/studies").status_code == 401
    assert guarded.get("/").status_code == 401


def test_with_wrong_token_nothing_is_shown(guarded: httpx.Client) -> None:
    assert guarded.get("/", params={"token": "wrong"}).status_code == 401


def test_token_in_the_address_becomes_a_cookie(guarded: httpx.Client) -> None:
    response = guarded.get("/", params={"token": "secret", "study": "a"})
    guarded.cookies.clear()

    assert response.status_code == 303
    assert response.headers["location"] == "/?study=a"
    assert "httponly; path=/; samesite=strict" in response.headers["set-cookie"].lower()


def test_a_token_leads_to_no_other_host(guarded: httpx.Client) -> None:
    address = guarded.base_url.copy_with(raw_path=b"//evil.example/?token=secret")

    response = guarded.get(address)
    guarded.cookies.clear()

    assert response.headers["location"] == "/evil.example/"


def test_token_in_the_header_is_enough(guarded: httpx.Client) -> None:
    assert guarded.get("/api/studies", headers={"Authorization": "Bearer secret"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.3", False),
        ("localhost.evil.example", False),
    ],
)
def test_loopback_is_told_from_other_addresses(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_taken_port_is_named() -> None:
    with bind("127.0.0.1", 0) as first, pytest.raises(PageError, match="address already in use"):
        bind("127.0.0.1", first.getsockname()[1])


def test_query_gives_columns_and_rows(client: httpx.Client) -> None:
    query = "SELECT state, count(*) AS n FROM trials WHERE study = 'higgs-mlp' GROUP BY ALL ORDER BY state"

    grid = client.post("/api/sql", json={"id": "1", "sql": query}).json()

    assert grid["columns"] == ["state", "n"]
    assert sum(n for _, n in grid["rows"]) == 120
    assert not grid["is_cut"]


def test_long_results_are_cut_and_say_so(client: httpx.Client) -> None:
    grid = client.post("/api/sql", json={"id": "1", "sql": "FROM range(20000)"}).json()

    assert len(grid["rows"]) == 5000
    assert grid["is_cut"]


def test_values_that_json_cannot_hold_are_text(client: httpx.Client) -> None:
    query = "SELECT 'nan'::DOUBLE AS a, '-inf'::DOUBLE AS b, 9007199254740993 AS c, [1.5, 'inf'::DOUBLE] AS d"

    grid = client.post("/api/sql", json={"id": "1", "sql": query}).json()

    assert grid["rows"] == [["nan", "-inf", "9007199254740993", [1.5, "inf"]]]


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE trials",
        "WITH x AS (DELETE FROM trials RETURNING *) SELECT * FROM x",
        "COPY trials TO '/tmp/stolen.csv'",
        "SELECT * FROM read_text('/etc/passwd')",
        "ATTACH '/tmp/other.duckdb'",
        "SELECT 1; SELECT 2",
        "SET memory_limit = '100GB'",
    ],
)
def test_queries_that_do_more_than_read_are_refused(client: httpx.Client, query: str) -> None:
    response = client.post("/api/sql", json={"id": "1", "sql": query})

    assert response.status_code == 400
    assert response.json()["error"].startswith("The query")


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/page.js/../../live.py", "/api/page/../x"]
)
def test_no_path_leads_out_of_the_page(client: httpx.Client, path: str) -> None:
    address = client.base_url.copy_with(raw_path=path.encode())

    assert client.get(address).status_code == 404


def test_a_request_larger_than_a_query_is_refused(client: httpx.Client) -> None:
    response = client.post("/api/sql", json={"id": "1", "sql": "SELECT 1 --" + "x" * (1 << 20)})

    assert response.status_code == 400
    assert "1 MiB at most" in response.json()["error"]


def test_a_request_that_is_no_query_is_refused(client: httpx.Client) -> None:
    response = client.post("/api/sql", json={"sql": ["SELECT 1"]})

    assert response.status_code == 400
    assert "not understood" in response.json()["error"]


def test_a_query_that_eats_memory_is_stopped(client: httpx.Client) -> None:
    response = client.post("/api/sql", json={"id": "1", "sql": "SELECT list(range) FROM range(1000000000)"})

    assert response.status_code == 400
    assert "MiB of memory" in response.json()["error"]


def test_rows_that_no_browser_shows_are_cut(client: httpx.Client) -> None:
    grid = client.post("/api/sql", json={"id": "1", "sql": "SELECT repeat('x', 1000000) FROM range(200)"}).json()

    assert grid["is_cut"]
    assert 1 <= len(grid["rows"]) < 20


def test_a_row_that_is_too_long_is_refused(client: httpx.Client) -> None:
    response = client.post("/api/sql", json={"id": "1", "sql": "SELECT repeat('x', 40000000)"})

    assert response.status_code == 400
    assert "million characters" in response.json()["error"]


def test_a_download_that_is_too_large_is_refused(
    simulated_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pegbox.page.live_sql.MOST_FILE_BYTES", 1 << 20)
    wanted = Wanted(id="1", sql="FROM range(1000000)", form="csv")

    with pytest.raises(QueryError, match="larger than 1 MiB"):
        SqlConsole(simulated_store).download(wanted, tmp_path / "result.csv")


def test_csv_download_holds_all_rows(client: httpx.Client) -> None:
    response = client.post("/api/sql/download", json={"id": "1", "sql": "FROM range(20000)", "form": "csv"})

    assert response.headers["content-disposition"] == 'attachment; filename="result.csv"'
    assert len(response.text.splitlines()) == 20001


def test_parquet_download_can_be_read(client: httpx.Client) -> None:
    query = "SELECT number, value FROM trials WHERE study = 'higgs-mlp'"

    response = client.post("/api/sql/download", json={"id": "1", "sql": query, "form": "parquet"})

    assert pyarrow.parquet.read_table(io.BytesIO(response.content)).num_rows == 120


def test_a_running_query_is_cancelled(simulated_store: Path) -> None:
    console = SqlConsole(simulated_store)
    errors: list[str] = []

    def ask() -> None:
        try:
            console.ask(Asked(id="endless", sql=ENDLESS))
        except QueryError as error:
            errors.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    deadline = time.monotonic() + 20
    while not console.cancel("endless") and time.monotonic() < deadline:
        time.sleep(0.1)
    asking.join(20)

    assert errors == ["The query was cancelled."]
    assert console.ask(Asked(id="next", sql="SELECT 42")).rows == [[42]]


def test_an_endless_query_meets_its_limit(simulated_store: Path) -> None:
    console = SqlConsole(simulated_store, Limits(seconds=1.0))

    with pytest.raises(QueryError, match="must answer within 1 s"):
        console.ask(Asked(id="1", sql=ENDLESS))


def test_reading_leaves_the_store_as_it_is(client: httpx.Client, simulated_store: Path) -> None:
    before = _modified(simulated_store)

    client.get("/api/page", params={"study": "higgs-mlp"})
    client.post("/api/sql", json={"id": "1", "sql": "SELECT count(*) FROM trials"})

    assert _modified(simulated_store) == before


def _modified(store: Path) -> dict[Path, int]:
    """When each file of a store was changed, save those that keep what was computed of it."""
    kept = store / "cache" / "explanations"
    return {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file() and kept not in path.parents}


def test_catalog_names_tables_and_columns(client: httpx.Client) -> None:
    catalog = client.get("/api/catalog").json()

    assert "value" in catalog["tables"]["trials"]
    assert "study_higgs-mlp" in catalog["tables"]
