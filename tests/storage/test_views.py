import re
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy.stats import spearmanr

from pegbox.schemas.competition import leaders_of
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.migrate import migrate, migrations
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study
from pegbox.storage.views import refresh_views, views_sql

SPACE = {"x": {"min": 0.001, "max": 1.0}, "z": {"min": -3, "max": 3}, "kind": {"values": ["a", "b"]}}
EXAMPLES = re.findall(r"^COMMENT ON (?:MACRO TABLE|VIEW) (\w+) IS '(.*)';$", "\n".join(views_sql()), re.MULTILINE)
OBJECTS = re.findall(r"^CREATE OR REPLACE (?:MACRO|VIEW) (\w+)", "\n".join(views_sql()), re.MULTILINE)


class Table:
    """A database with the schema and views, and trials put into it directly; all that are completed compete."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.specs: dict[str, StudySpec] = {}
        migrate(self.connection, migrations())
        refresh_views(self.connection)

    def study(self, name: str = "s", goals: tuple[str, ...] = ("minimize",)) -> None:
        objectives = [{"metric": f"m{number}", "goal": goal} for number, goal in enumerate(goals)]
        raw = {"name": name, "train": {"kind": "function", "function": "a:b", "epochs": 3}, "space": SPACE}
        spec = StudySpec.model_validate({**raw, "objectives": objectives, "budget": {"trials": 9}})
        self.specs[name] = spec
        self.connection.execute(
            "INSERT INTO studies VALUES (?, ?, ?, 'random', 'full', 3, 0, MAP {}, now(), now(), NULL, ?, [3], NULL)",
            [name, [goal.metric for goal in spec.goals], list(goals), spec.model_dump_json()],
        )

    def trials(
        self, values: Any, params: Any = None, state: str = "completed", study: str = "s", run: str = "r"
    ) -> None:
        for number, value in enumerate(values):
            objectives = list(value) if isinstance(value, tuple) else [value]
            self.connection.execute(
                "INSERT INTO trials BY NAME SELECT $1 AS study, $2 AS number, $3 AS state, $4 AS value, "
                "$5 AS \"values\", MAP {'m0': $4, 'cost': $2::DOUBLE} AS metrics, 3 AS budget, 2.0 AS seconds, "
                "$6::JSON::VARIANT AS params, "
                "1 AS attempt, $7 AS run, to_timestamp($2) AS started_at, to_timestamp($2 + 1) AS ended_at, "
                "$2 + 1.0 AS elapsed_seconds, "
                "$3 = 'completed' AS competes, $8 AS loss",
                [
                    study,
                    number,
                    state,
                    objectives[0],
                    objectives,
                    params[number] if params else "{}",
                    run,
                    self.specs[study].goals[0].loss(objectives[0]),
                ],
            )
        self.lead(study)

    def lead(self, study: str = "s") -> None:
        """Say who leads among those that compete."""
        goals = self.specs[study].goals
        found = self.rows(f"SELECT number, \"values\" FROM trials WHERE study = '{study}' AND competes ORDER BY number")
        losses = np.array([[goal.loss(value) for goal, value in zip(goals, row[1], strict=True)] for row in found])
        led = leaders_of(self.specs[study], [row[0] for row in found], losses, None)
        value = dict(found)[led.best][0] if led.best is not None else None
        self.connection.execute("DELETE FROM leaders WHERE study = ?", [study])
        self.connection.execute(
            "INSERT INTO leaders VALUES (?, ?, ?, false, ?, ?, ?)",
            [study, led.best, value, led.incumbent, value, list(led.front)],
        )

    def exclude(self, *numbers: int, study: str = "s") -> None:
        """Trials that do not keep a constraint, say."""
        self.connection.execute(
            "UPDATE trials SET competes = false, excluded_by = 'breaks_constraint' "
            "WHERE study = ? AND list_contains(?, number)",
            [study, list(numbers)],
        )
        self.lead(study)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture(scope="module")
def two_studies(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[HistoryFile]:
    recorder, new_spec, new_run = (request.getfixturevalue(name) for name in ("record_all", "spec_of", "run_of"))
    store: StoreLayout = open_store(tmp_path_factory.mktemp("views") / ".pegbox")
    for name in ("digits", "wine"):
        for run in ("run-1", "run-2"):
            with open_study(store, new_spec(name), new_run(new_spec(name), run)) as log:
                recorder(log)
    with open_history(store.root) as history:
        yield history


@pytest.mark.parametrize("name", OBJECTS)
def test_every_view_and_macro_is_documented_with_an_example(name: str) -> None:
    assert "Example: " in dict(EXAMPLES)[name]


@pytest.mark.parametrize(("name", "comment"), EXAMPLES)
def test_every_example_answers(two_studies: HistoryFile, name: str, comment: str) -> None:
    example = comment.replace("''", "'").partition("Example: ")[2]
    assert name in example
    answer = two_studies.sql(example)
    assert len(answer.columns) >= 1
    assert (len(answer.fetchall()) > 0) == (
        name not in {"code_parts", "finalists", "lineage", "models", "notes", "replicate_curves", "trial_tags"}
    )


SILENT = """
SELECT table_name FROM duckdb_tables() WHERE database_name = 'store' AND coalesce(comment, '') = '' UNION ALL
SELECT view_name FROM duckdb_views()
WHERE database_name = 'store' AND NOT internal AND coalesce(comment, '') = '' UNION ALL
SELECT table_name || '.' || column_name FROM duckdb_columns()
WHERE database_name = 'store' AND NOT internal AND coalesce(comment, '') = '' UNION ALL
SELECT function_name FROM duckdb_functions()
WHERE database_name = 'store' AND NOT internal AND coalesce(comment, '') = ''
"""


def test_every_table_view_column_and_macro_has_a_comment(begin: Any, store: StoreLayout) -> None:
    recorder = begin()
    recorder.complete({"lr": 0.1, "layers": 2, "optimizer": "adamw"}, value=1.0)
    recorder.log.close()
    with open_history(store.root) as history:
        views = history.sql("SELECT DISTINCT table_name FROM duckdb_columns() WHERE database_name = 'store'").fetchall()
        assert {("trials",), ("curves",), ("study_digits",)} <= set(views)
        assert history.sql(SILENT).fetchall() == []


def test_marginal_bins_hold_equal_shares_and_the_true_means(table: Table) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.001, 1.0, 400)
    y = x + rng.normal(0, 0.1, 400)
    table.study()
    table.trials(y.tolist(), [f'{{"x": {value}}}' for value in x])
    rows = table.rows("FROM marginal('s', 'x', bins := 4)")
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert all(95 <= row[3] <= 105 for row in rows)
    for _, low, high, n, mean, mean_low, mean_high, median, best in rows:
        inside = y[(x >= low) & (x <= high)]
        assert len(inside) == n
        assert mean == pytest.approx(inside.mean())
        assert median == pytest.approx(np.median(inside))
        assert best == inside.min()
        half = 1.96 * inside.std(ddof=1) / np.sqrt(n)
        assert (mean_low, mean_high) == pytest.approx((mean - half, mean + half))


@pytest.mark.parametrize(("scale", "edges"), [("log", [0.001, 0.01, 0.1, 1.0]), ("linear", [0.001, 0.334, 0.667, 1.0])])
def test_marginal_bins_follow_the_scale(table: Table, scale: str, edges: list[float]) -> None:
    x = np.geomspace(0.001, 1.0, 300)
    table.study()
    table.trials(x.tolist(), [f'{{"x": {value}}}' for value in x])
    rows = table.rows(f"FROM marginal('s', 'x', bins := 3, scale := '{scale}')")
    assert [row[1] for row in rows] == pytest.approx(edges[:3], rel=0.05)


def test_equal_settings_share_a_bin(table: Table) -> None:
    table.study()
    table.trials([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], ['{"x": 0.5}'] * 5 + ['{"x": 0.9}'])
    assert [(row[1], row[3]) for row in table.rows("FROM marginal('s', 'x', bins := 4)")] == [(0.5, 5), (0.9, 1)]


def test_a_parameter_counts_only_where_it_was_active(table: Table) -> None:
    table.study()
    table.trials([1.0, 2.0, 3.0], ['{"kind": "a", "x": 0.5}', '{"kind": "b"}', '{"kind": "a", "x": 0.6}'])
    assert sum(row[3] for row in table.rows("FROM marginal('s', 'x')")) == 2
    assert sum(row[4] for row in table.rows("FROM interaction('s', 'kind', 'x')")) == 2
    assert table.rows("SELECT n FROM rank_correlation('s', 'x')") == [(2,)]
    assert table.rows("SELECT sum(n) FROM failure_regions('s', 'x')") == [(2,)]


def test_levels_are_ordered_by_the_goal(table: Table) -> None:
    table.study(goals=("maximize",))
    table.trials([1.0, 2.0, 3.0], ['{"kind": "a"}', '{"kind": "b"}', '{"kind": "a"}'])
    rows = table.rows("SELECT level, n, mean, best FROM marginal_levels('s', 'kind')")
    assert rows == [("a", 2, 2.0, 3.0), ("b", 1, 2.0, 2.0)] or rows == [("b", 1, 2.0, 2.0), ("a", 2, 2.0, 3.0)]
    assert table.rows("SELECT number FROM top('s', k := 1)") == [(2,)]


def test_interaction_of_two_numbers_covers_the_plane(table: Table) -> None:
    rng = np.random.default_rng(1)
    x, z = rng.uniform(0.001, 1.0, 300), rng.uniform(-3, 3, 300)
    table.study()
    table.trials((x * z).tolist(), [f'{{"x": {a}, "z": {b}}}' for a, b in zip(x, z, strict=True)])
    rows = table.rows("SELECT bin, other_bin, n, mean FROM interaction('s', 'x', 'z', bins := 2)")
    assert [row[:2] for row in rows] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert sum(row[2] for row in rows) == 300
    assert rows[2][3] < rows[0][3] < 0 < rows[1][3] < rows[3][3]


def test_rank_correlation_agrees_with_scipy(table: Table) -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(0.001, 1.0, 100).round(2)
    y = (x + rng.normal(0, 0.5, 100)).round(1)
    table.study()
    table.trials(y.tolist(), [f'{{"x": {value}}}' for value in x])
    ((rho, n, low, high),) = table.rows("FROM rank_correlation('s', 'x')")
    assert (rho, n) == (pytest.approx(spearmanr(x, y).statistic, abs=0.01), 100)
    assert low < rho < high
    assert table.rows("SELECT parameter, round(rho, 9) FROM rank_correlations('s')") == [("x", round(rho, 9))]


@pytest.mark.parametrize("goals", [("minimize",), ("minimize", "maximize"), ("maximize", "minimize", "minimize")])
def test_pareto_agrees_with_every_pair_compared(table: Table, goals: tuple[str, ...]) -> None:
    values = np.random.default_rng(3).integers(0, 8, (60, len(goals))).astype(float)
    losses = values * [1.0 if goal == "minimize" else -1.0 for goal in goals]
    beaten = (losses[None] <= losses[:, None]).all(axis=2) & (losses[None] < losses[:, None]).any(axis=2)
    table.study(goals=goals)
    table.trials([tuple(row) for row in values.tolist()])
    assert sorted(row[0] for row in table.rows("FROM pareto('s')")) == np.flatnonzero(~beaten.any(axis=1)).tolist()


def test_trials_that_do_not_compete_are_named_best_nowhere(table: Table) -> None:
    table.study()
    x = [0.1, 0.1, 0.9, 0.9, 0.9]
    table.trials([3.0, 2.0, 4.0, 1.0, 0.5], [f'{{"x": {one}, "kind": "a"}}' for one in x])
    table.exclude(3, 4)
    table.connection.execute(
        "INSERT INTO runs VALUES ('s', 'r', 'completed', now(), now(), 'h', 1, 'd', NULL, NULL, NULL, MAP {}, '')"
    )
    assert table.rows("SELECT number FROM top('s')") == [(1,), (0,), (2,)]
    assert table.rows("SELECT number FROM pareto('s')") == [(1,)]
    assert table.rows("SELECT best FROM best_so_far('s')") == [(3.0,), (2.0,), (2.0,), (2.0,), (2.0,)]
    assert table.rows("SELECT trials, completed, competing, best_trial, best FROM study_summary") == [(5, 5, 3, 1, 2.0)]
    assert table.rows("SELECT n, best FROM marginal('s', 'x', bins := 4)") == [(2, 2.0), (3, 4.0)]
    assert table.rows("SELECT n, best FROM marginal_levels('s', 'kind')") == [(5, 2.0)]
    assert table.rows("SELECT n, best FROM interaction('s', 'x', 'kind', bins := 4)") == [(2, 2.0), (3, 4.0)]
    assert table.rows("SELECT best, best_setting FROM drift('s', 'x')") == [(2.0, "0.1")]
    assert table.rows("SELECT best FROM compare_runs('s', 'r', 'other')") == [(2.0,)]
    assert table.rows("SELECT best_trial, trials_to_best, top_mean FROM compare_studies('s', 's')") == [(1, 2, 3.0)]
    assert table.rows("SELECT number FROM tradeoff('s', 'm0', 'cost')") == [(1,), (0,)]


def test_several_objectives_put_the_knee_first_then_the_front(table: Table) -> None:
    table.study(goals=("minimize", "minimize"))
    table.trials([(0.0, 9.0), (9.0, 0.0), (2.0, 2.0), (1.0, 9.5)])
    assert table.rows("SELECT number, place, on_front, is_best FROM competing ORDER BY place") == [
        (2, 1, True, True),
        (0, 2, True, False),
        (1, 3, True, False),
        (3, 4, False, False),
    ]
    assert table.rows("SELECT number FROM top('s', k := 2)") == [(2,), (0,)]


def test_tradeoff_compares_any_two_metrics(table: Table) -> None:
    table.study()
    table.trials([3.0, 2.0, 2.5, 1.0])  # the cost of a trial is its number
    assert table.rows("SELECT number, metric, other FROM tradeoff('s', 'm0', 'cost')") == [
        (3, 1.0, 3.0),
        (1, 2.0, 1.0),
        (0, 3.0, 0.0),
    ]


@pytest.mark.parametrize(("goal", "best"), [("minimize", [3.0, 2.0, 2.0, 1.0]), ("maximize", [3.0, 3.0, 4.0, 4.0])])
def test_best_so_far_follows_the_goal_and_adds_up_costs(table: Table, goal: str, best: list[float]) -> None:
    table.study(goals=(goal,))
    table.trials([3.0, 2.0, 4.0, 1.0])
    rows = table.rows("SELECT n_finished, elapsed_seconds, trained_seconds, trained_epochs, best FROM best_so_far('s')")
    assert [row[:4] for row in rows] == [(1, 1.0, 2.0, 3), (2, 2.0, 4.0, 6), (3, 3.0, 6.0, 9), (4, 4.0, 8.0, 12)]
    assert [row[4] for row in rows] == best


def test_curves_take_the_last_attempt_of_each_step_and_no_fresh_seed(table: Table) -> None:
    table.study()
    table.connection.execute(
        "INSERT INTO metrics SELECT 's', 0, attempt, 0, seed, step, 'm0', attempt * 10 + step, 0, now() "
        "FROM (VALUES (1, 1, NULL), (1, 2, NULL), (2, 2, NULL), (2, 3, NULL), (1, 1, 0), (3, 2, 0), (3, 1, 1)) "
        "AS v(attempt, step, seed)"
    )
    assert table.rows("SELECT step, value FROM curve('s', 0)") == [(1, 11.0), (2, 22.0), (3, 23.0)]
    assert table.rows("SELECT step, value FROM curves ORDER BY step") == [(1, 11.0), (2, 22.0), (3, 23.0)]
    assert table.rows("SELECT replicate, step, value FROM replicate_curves ORDER BY ALL") == [
        (0, 1, 11.0),
        (0, 2, 32.0),
        (1, 1, 31.0),
    ]


def test_rung_correlation_says_where_the_winner_would_be_lost(table: Table) -> None:
    table.study()
    table.trials([1.0, 2.0, 3.0, 4.0])
    early = {1: [4.0, 1.0, 2.0, 3.0], 2: [1.0, 2.0, 3.0, 4.0]}  # at step 1 the later winner comes last
    for step, values in early.items():
        for trial, value in enumerate(values):
            table.connection.execute(
                "INSERT INTO metrics VALUES ('s', ?, 1, 0, NULL, ?, 'm0', ?, 0, now())", [trial, step, value]
            )
    rows = table.rows(
        "SELECT step, correlation, winner, winner_rank, winner_lost FROM rung_correlation('s', keep := 0.5)"
    )
    assert [row[2:] for row in rows] == [(0, 4, True), (0, 1, False)]
    assert [row[1] for row in rows] == pytest.approx([spearmanr(early[1], early[2]).statistic, 1.0])


def test_failures_are_located_in_the_space(table: Table) -> None:
    table.study()
    table.trials([1.0] * 8, [f'{{"z": {number}}}' for number in range(-3, 5)])
    table.connection.execute(
        "UPDATE trials SET state = 'failed', failure_kind = 'diverged' WHERE variant_extract(params, 'z')::INTEGER > 2"
    )
    worst = table.rows("SELECT n, failed, share, kinds FROM failure_regions('s', 'z', bins := 4)")[0]
    assert worst == (2, 2, 1.0, {"diverged": 2})
    assert table.rows("SELECT kind, n, share FROM failure_kinds('s')") == [("diverged", 2, 0.25)]


def test_curve_bands_take_each_trial_once_and_its_last_attempts_only(table: Table) -> None:
    table.study()
    table.trials([1.0, 2.0, 3.0])
    table.study("other")
    table.trials([1.0], study="other")
    table.connection.execute(
        "INSERT INTO metrics SELECT col0, col1, col2, col3, col4, 1, col5, col6, 0, now() FROM (VALUES "
        "('s', 0, 1, 0, NULL, 'm0', 1.0), ('s', 0, 1, 1, NULL, 'm0', 2.0), "  # both folds of a trial
        "('s', 1, 1, 0, NULL, 'm0', 99.0), ('s', 1, 2, 0, NULL, 'm0', 3.0), "  # measured again by a second attempt
        "('s', 2, 1, 1, NULL, 'm0', 4.0), ('s', 2, 1, 2, NULL, 'm0', 5.0), "  # without its first fold
        "('s', 0, 1, 0, 0, 'm0', 99.0), ('s', 0, 1, 0, NULL, 'cost', 99.0), ('other', 0, 1, 0, NULL, 'm0', 99.0))"
    )
    assert table.rows("SELECT outcome, step, n, mean, p25, p50, p75 FROM curve_bands('s', 'm0')") == [
        ("completed", 1, 3, 3.0, 2.0, 3.0, 4.0)
    ]


def test_duplicates_are_found_whatever_the_order_of_their_parameters(table: Table) -> None:
    table.study()
    table.trials([1.0, 2.0, 3.0], ['{"x": 0.5, "z": 1}', '{"z": 1, "x": 0.5}', '{"x": 0.6, "z": 1}'])
    assert table.rows("SELECT n, numbers, lowest, highest FROM duplicates") == [(2, [0, 1], 1.0, 2.0)]


def test_drift_shows_a_best_setting_that_moves_with_the_data(table: Table) -> None:
    table.study()
    for run, best in (("old", 0.2), ("new", 0.8)):
        settings = [0.1, 0.2, 0.5, 0.8, 0.9]
        table.trials([abs(x - best) for x in settings], [f'{{"x": {x}}}' for x in settings], run=run)
        table.connection.execute(
            "INSERT INTO runs VALUES "
            "('s', $1, 'completed', now(), now(), 'h', 1, $1 || ' data', NULL, NULL, NULL, MAP {}, '')",
            [run],
        )
    rows = table.rows("SELECT data_fingerprint, best_setting FROM drift('s', 'x') ORDER BY 1")
    assert rows == [("new data", "0.8"), ("old data", "0.2")]


def test_compared_studies_say_when_each_met_its_best(table: Table) -> None:
    table.study("one")
    table.study("two", goals=("maximize",))
    table.trials([3.0, 1.0, 2.0], study="one")
    table.trials([3.0, 1.0, 2.0], study="two")
    rows = table.rows("SELECT study, best, trials_to_best, seconds_to_best FROM compare_studies('one', 'two')")
    assert rows == [("one", 1.0, 2, 4.0), ("two", 3.0, 1, 2.0)]


def test_views_are_made_again_when_their_text_changes(table: Table) -> None:
    assert not refresh_views(table.connection)
    table.connection.execute("UPDATE schema_views SET checksum = 'older'")
    table.connection.execute("DROP VIEW failures")
    assert refresh_views(table.connection)
    assert table.rows("FROM failures") == []
