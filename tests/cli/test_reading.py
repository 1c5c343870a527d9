"""ls, status, best, watch and sql read what a store holds, for people and for programs."""

import json

import pytest

from pegbox.schemas.study_file import read_study


def test_ls_lists_the_last_active_study_first(pegbox, store):
    said = pegbox("ls", "--store", store)

    names = [line.split()[0] for line in said.out.splitlines()]
    assert said.code == 0
    assert names[:2] == ["study", "done"]
    assert names[-1] == "cut"
    assert "trial 3" in said.out.splitlines()[1]


def test_ls_as_json_holds_the_figures(pegbox, store):
    studies = {one["study"]: one for one in json.loads(pegbox("ls", "--store", store, "--json").out)}

    assert (studies["done"]["best"], studies["done"]["best_trial"], studies["done"]["is_selected"]) == (0.26, 3, True)
    assert (studies["done"]["trials"], studies["done"]["completed"], studies["done"]["failed"]) == (4, 3, 1)
    assert studies["cut"]["state"] == "lost"
    assert studies["cut"]["is_selected"] is False


def test_status_shows_budget_best_and_failures(pegbox, store):
    said = pegbox("status", "done", "--store", store)

    assert "4 / 4 trials  100 %" in said.out
    assert "best 0.2600 trial 3 on fresh seeds" in said.out
    assert "search saw 0.1250 trial 3" in said.out
    assert "failed 1 (1 out of memory)" in said.out
    assert said.err == ""


def test_status_without_a_name_takes_the_last_active_study(pegbox, store):
    assert json.loads(pegbox("status", "--store", store, "--json").out)["study"] == "done"


def test_status_of_a_run_that_is_gone_says_so(pegbox, store):
    status = json.loads(pegbox("status", "cut", "--store", store, "--json").out)

    assert status["phase"] == "lost"
    assert status["run"]["host"] == "h"


def test_best_gives_the_configuration_and_how_sure_it_is(pegbox, store):
    said = pegbox("best", "done", "--store", store)

    assert "loss = 0.260 ± 0.050" in said.out
    assert "lr:    1e-3" in said.out
    assert "test_loss 0.2604" in said.out
    assert "checkpoints/winner.pt" in said.out
    assert "cannot be told from it" in said.out
    assert "target   0.2000 reached" in said.out


def test_best_as_json_keeps_every_digit(pegbox, store):
    answer = json.loads(pegbox("best", "done", "--store", store, "--json").out)

    assert answer["configuration"] == {"lr": 0.001, "kind": "small"}
    assert answer["selection"]["test_metrics"] == {"test_loss": 0.2604}
    assert (answer["value"], answer["selection"]["finalists"][0]["mean"]) == (0.26, 0.25)
    assert answer["is_target_reached"] is True


def test_best_before_a_winner_calls_the_value_what_it_is(pegbox, store):
    said = pegbox("best", "cut", "--store", store)

    assert "as the search saw it" in said.out
    assert "pegbox resume cut" in said.out


def test_the_configuration_alone_can_be_enqueued_in_a_study_file(pegbox, store, tmp_path):
    text = pegbox("best", "done", "--format", "yaml", "--store", store).out
    entry = text.strip().replace("\n", "\n      ")
    (tmp_path / "study.yaml").write_text(
        "name: again\ntrain: {kind: function, function: train:run}\nobjective: {metric: loss}\nbudget: {trials: 4}\n"
        "space: {lr: {min: 1e-4, max: 1.0, log: true}, kind: [big, small]}\n"
        f"search:\n  enqueue:\n    - {entry}\n"
    )

    spec = read_study(tmp_path / "study.yaml").spec

    assert spec.search.enqueue == ({"lr": 0.001, "kind": "small"},)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("json", '{\n  "lr": 0.001,\n  "kind": "small"\n}\n'),
        ("args", "--lr 0.001 --kind small\n"),
        ("python", 'configuration = {\n    "lr": 0.001,\n    "kind": "small",\n}\n'),
    ],
)
def test_the_configuration_alone_comes_in_forms_to_paste(pegbox, store, form, text):
    assert pegbox("best", "done", "--format", form, "--store", store).out == text


@pytest.mark.parametrize("more", [[], ["--json"], ["--format", "yaml"]])
def test_best_ends_with_3_where_no_trial_can_be_named(pegbox, tmp_path, add_failed_study, more):
    add_failed_study(tmp_path, "broken")

    said = pegbox("best", "broken", "--store", tmp_path, *more)

    assert said.code == 3
    assert "all 2 trials failed (2 out of memory)" in said.out + said.err


def test_a_study_that_only_fails_shows_how_and_what_to_do(pegbox, tmp_path, add_failed_study):
    add_failed_study(tmp_path, "broken")

    answer = pegbox("best", "broken", "--store", tmp_path).out

    assert "trial 1 failed: no [bold]memory[/] is left" in answer
    assert "pegbox retry broken" in answer
    assert "trial 1 failed: no [bold]memory[/] is left" in pegbox("status", "broken", "--store", tmp_path).out


def test_the_next_command_of_an_answer_works(pegbox, store):
    answer = json.loads(pegbox("best", "done", "--store", store, "--json").out)
    query = answer["query"].removeprefix("pegbox sql ").strip('"')

    rows = json.loads(pegbox("sql", query, "--store", store, "--json").out)

    assert rows[0]["number"] == 3


@pytest.mark.parametrize("command", ["status", "best", "watch"])
def test_a_name_full_of_markup_is_only_a_name(pegbox, store, hostile_name, command):
    said = pegbox(command, hostile_name, "--store", store)

    assert said.code == 0
    assert "\x1b" not in said.out
    assert command == "best" or "[bold red]x[/] \N{REPLACEMENT CHARACTER}[31m'\"/;" in said.out


@pytest.mark.parametrize("command", ["status", "best", "watch"])
def test_an_unknown_study_gets_the_nearest_name(pegbox, store, command):
    said = pegbox(command, "dnoe", "--store", store)

    assert said.code == 1
    assert "no study 'dnoe'. Did you mean 'done'?" in said.err
    assert said.out == ""


@pytest.mark.parametrize("command", [["ls"], ["status"], ["best"], ["watch"], ["sql", "SELECT 1"]])
def test_a_store_that_is_not_there_is_not_made(pegbox, tmp_path, command):
    said = pegbox(*command, "--store", tmp_path / "none")

    assert said.code == 1
    assert "There is no history in" in said.err
    assert not (tmp_path / "none").exists()


def test_the_store_may_come_from_the_environment(pegbox, store, monkeypatch):
    monkeypatch.setenv("PEGBOX_STORE", str(store))

    assert "done" in pegbox("ls").out


def test_watching_a_study_that_does_not_run_shows_it_and_ends(pegbox, store):
    assert "its process is gone" in pegbox("watch", "cut", "--store", store).out


def test_sql_prints_a_table_of_rounded_numbers(pegbox, store):
    said = pegbox("sql", "SELECT number, lr, failure_kind FROM study_done ORDER BY number", "--store", store)

    lines = said.out.splitlines()
    assert lines[0].split() == ["number", "lr", "failure_kind"]
    assert lines[3].split() == ["2", "0.01", "out_of_memory"]
    assert lines[4].split() == ["3", "1e-3", "NULL"]


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("csv", "number,value\n0,0.5\n3,0.125\n"),
        ("json", '[\n{"number": 0, "value": 0.5},\n{"number": 3, "value": 0.125}\n]\n'),
    ],
)
def test_sql_gives_rows_to_programs(pegbox, store, form, wanted):
    query = "SELECT number, value FROM study_done WHERE number IN (0, 3) ORDER BY number"

    assert pegbox("sql", query, "--format", form, "--store", store).out == wanted


def test_sql_writes_parquet_that_holds_the_rows(pegbox, store, tmp_path):
    import pyarrow.parquet as pq

    path = tmp_path / "trials.parquet"
    said = pegbox("sql", "FROM study_done ORDER BY number", "--format", "parquet", "-o", path, "--store", store)

    assert said.code == 0
    assert pq.read_table(path)["value"].to_pylist() == [0.5, 0.25, None, 0.125]


@pytest.mark.parametrize("query", [["-"], []])
def test_sql_reads_a_query_from_stdin(pegbox, store, monkeypatch, query):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 40 + 2 AS answer"))

    assert pegbox("sql", *query, "--store", store).out.split() == ["answer", "42"]


def test_sql_reads_a_query_from_a_file(pegbox, store, tmp_path):
    (tmp_path / "query.sql").write_text("-- how many\nSELECT count(*) AS n\nFROM trials;\n")

    assert pegbox("sql", "-f", tmp_path / "query.sql", "--store", store).out.split() == ["n", "13"]


def test_sql_cuts_a_table_for_the_eye_and_says_so(pegbox, store):
    said = pegbox("sql", "FROM range(1500)", "--store", store)

    assert len(said.out.splitlines()) == 1001
    assert "1000 of 1500 rows" in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["SELEC 1"], "The query failed"),
        (["DELETE FROM trials"], "refused"),
        (["SELECT 1; SELECT 2"], "exactly one statement"),
        (["-f", "csv"], "could not be read from the file 'csv'"),
        (["SELECT 1", "-f", "query.sql"], "got both 'SELECT 1' and --file 'query.sql'"),
        (["SELECT 1", "--format", "parquet"], "name it with --output"),
        (["SELECT 1", "--format", "csv", "-o", "/nowhere/x.csv"], "cannot be written"),
        (["SELECT 1", "-o", "x.txt"], "A table is for the eye"),
    ],
)
def test_sql_that_cannot_be_answered_is_an_error_of_one_sentence(pegbox, store, arguments, words):
    said = pegbox("sql", *arguments, "--store", store)

    assert said.code == 1
    assert words in said.err
    assert "Traceback" not in said.err
