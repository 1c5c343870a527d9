"""`pegbox doctor` names what would stop a study, and how to mend it."""

import http.server
import json
import threading

import pytest

from pegbox.cli import doctor_checks


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "none.toml"))


def findings(said):
    return {(one["about"], one["state"]): one for one in json.loads(said.out)}


def test_a_sound_machine_and_store_pass(pegbox, store):
    said = pegbox("doctor", "--store", store)

    assert said.code == 0
    assert "3 studies, 13 trials" in said.out
    assert "no known clash" in said.out
    assert "CPU core" in said.out


def test_a_store_that_is_not_there_is_no_failure_and_is_not_made(pegbox, tmp_path):
    said = pegbox("doctor", "--store", tmp_path / "none", "--json")

    assert said.code == 0
    assert "the first run makes it" in findings(said)["store", "note"]["fact"]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("package", "installed", "clashes"),
    [
        ("fastapi", "0.150.9", False),
        ("fastapi", "0.151.0", True),
        ("fastapi", "1.0", True),
        ("sqlalchemy", "2.0.99", False),
        ("sqlalchemy", "2.1.0b1", True),
    ],
)
def test_a_known_clash_is_named_with_its_mending(monkeypatch, package, installed, clashes):
    monkeypatch.setattr(doctor_checks, "installed", lambda _: installed)
    limit = {"fastapi": (0, 151), "sqlalchemy": (2, 1)}[package]

    finding = doctor_checks.known_clash(package, limit, "it breaks")

    assert (finding is not None) == clashes
    assert finding is None or f"pip install '{package}<{limit[0]}.{limit[1]}'" in finding.advice


def test_a_configured_server_that_does_not_answer_fails(pegbox, tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")

    said = pegbox("doctor", "--store", tmp_path, "--json")

    assert said.code == 1
    assert "does not answer" in findings(said)["prefect", "fail"]["fact"]


def test_a_configured_server_that_answers_passes(pegbox, tmp_path, monkeypatch):
    class Healthy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api")
        said = pegbox("doctor", "--store", tmp_path, "--json")
        server.shutdown()

    assert "answers" in findings(said)["prefect", "ok"]["fact"]


def test_damaged_lines_of_a_journal_are_counted(pegbox, tmp_path):
    from pegbox.storage.store import open_store

    layout = open_store(tmp_path)
    (layout.journal / "driver-x.jsonl").write_text("this is no event\n")

    said = pegbox("doctor", "--store", tmp_path, "--json")

    assert said.code == 0
    assert findings(said)["store", "warn"]["fact"].startswith("1 damaged line")


def test_a_store_of_a_newer_version_fails(pegbox, tmp_path):
    from pegbox.storage.store import open_store

    layout = open_store(tmp_path)
    (layout.root / "store.json").write_text('{"schema": 9999}')

    said = pegbox("doctor", "--store", tmp_path, "--json")

    assert said.code == 1
    assert "9999" in findings(said)["store", "fail"]["fact"]
