"""`pegbox validate` and `pegbox schema`: what is wrong is said with its place, for people and for programs."""

import json

import pytest

from pegbox.schemas.study_schema import study_schema

STUDY = """\
name: x
data: {source: "sklearn:iris", target: target}
train: {kind: mlp, epochs: 3}
space:
  lr: {min: 1e-5, max: 1e-1, log: true}
objective: {metric: val_loss}
search: {method: random}
budget: {trials: 3}
"""


@pytest.fixture
def study_file(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def test_a_valid_study_is_summed_up(pegbox, study_file):
    said = pegbox("validate", study_file)

    assert said.code == 0
    assert said.out.splitlines()[0] == f"{study_file} is valid"
    assert "space      lr" in said.out
    assert said.err == ""


def test_it_says_which_range_is_searched_on_another_scale(pegbox, study_file):
    study_file.write_text(STUDY.replace(", log: true", "").replace("random", "bayes"))

    said = pegbox("validate", study_file)

    assert "lr by magnitude: the range spans decades" in said.out


def test_it_says_which_schedule_auto_chose_and_why(pegbox, study_file):
    study_file.write_text(STUDY.replace("epochs: 3", "epochs: 9").replace("trials: 3", "epochs: 90"))

    said = pegbox("validate", study_file)
    search = json.loads(pegbox("validate", study_file, "--json").out)["search"]

    assert "schedule asha (auto: no more than 10 whole trainings fit into the budget" in said.out
    assert (search["schedule"], search["schedule_reason"].split()[0]) == ("asha", "no")


def test_a_valid_study_as_json(pegbox, study_file):
    said = json.loads(pegbox("validate", study_file, "--json").out)

    assert said["valid"] is True
    assert (said["search"]["method"], said["search"]["schedule"]) == ("random", "full")
    assert said["study"]["space"]["lr"]["max"] == 0.1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("trials: 3", "trials: 0", ":8:18, budget.trials: trials must be at least 1, got 0."),
        ("random", "rnadom", ":7:18, search.method:"),
        ("sklearn:iris", "sklearn:irsi", ":2:16, data.source:"),
        ("val_loss", "val_los", ":6:21, objective.metric:"),
        ("lr:", "lrr:", ":5:3, space.lrr:"),
        ("name: x\n", "name: x\nrun: {address: head}\n", ":2:16, run.address: `engine: local` uses no address."),
    ],
)
def test_each_rooms_complaint_has_its_place(pegbox, study_file, old, new, words):
    study_file.write_text(STUDY.replace(old, new))

    said = pegbox("validate", study_file)

    assert said.code == 2
    assert f"error: {study_file}{words}" in said.err
    assert said.out == ""


def test_all_problems_are_told_at_once(pegbox, study_file):
    study_file.write_text(STUDY.replace("random", "rnadom").replace("val_loss", "val_los"))

    assert len(pegbox("validate", study_file).err.splitlines()) == 2


def test_problems_as_json_carry_their_place(pegbox, study_file):
    study_file.write_text(STUDY.replace("trials: 3", "trials: 0"))

    said = pegbox("validate", study_file, "--json")

    (problem,) = json.loads(said.out)["problems"]
    assert said.code == 2
    assert (problem["path"], problem["line"], problem["column"]) == (["budget", "trials"], 8, 18)


def test_schema_prints_the_schema_or_writes_it(pegbox, tmp_path):
    printed = pegbox("schema")
    pegbox("schema", "--output", tmp_path / "s.json")

    assert json.loads(printed.out) == study_schema()
    assert (tmp_path / "s.json").read_text() == printed.out


def test_a_preset_is_shown_as_it_is_drawn_and_can_be_pasted_back(pegbox, tmp_path):
    text = (
        "name: p\ndata: {source: sklearn:digits, target: target}\ntrain: {kind: mlp, epochs: 5}\n"
        "objective: {metric: val_loss}\nbudget: {trials: 20}\nspace:\n"
    )
    drawn, pasted = tmp_path / "drawn.yaml", tmp_path / "pasted.yaml"
    drawn.write_text(f"{text}  preset: mlp\n")

    said = pegbox("validate", drawn, "--store", tmp_path / "none").out
    lines = [line[len("objective") + 2 :] for line in said.splitlines() if ": {" in line]
    pasted.write_text(text + "".join(f"  {line}\n" for line in lines))

    assert "the preset mlp" in said
    assert any(line.startswith("units: {") and "int: true" in line for line in lines)
    assert pegbox("validate", pasted).code == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("trials: 3", "trials: 40"), "the best 5 on 4 fresh seeds: at most 20 more trainings, 60 epochs in all"),
        (("trials: 3}", "trials: 3}\nfinalists: {top: 1, seeds: 1}"), "at most 1 more training, 3 epochs in all"),
        (("trials: 3", "time: 5m"), "at most 25 more trainings, 75 epochs in all, and no more than half of what"),
        (("target: target", "target: target, split: {folds: 4}"), "at most 1 more training on 4 folds each"),
    ],
)
def test_it_says_what_the_finalists_cost(pegbox, study_file, change, told):
    study_file.write_text(STUDY.replace(*change))

    assert told in " ".join(pegbox("validate", study_file).out.split())


def test_json_says_how_many_finalists_there_may_be(pegbox, study_file):
    assert json.loads(pegbox("validate", study_file, "--json").out)["finalists"] == {"top": 1, "seeds": 1}


RECORDED = """\
name: done
train: {kind: function, function: "train:run", epochs: 4}
space:
  lr: {min: 1e-4, max: 1.0, log: true}
  kind: ["big [red]", small]
objective: {metric: loss, target: 0.2}
budget: {trials: 4}
run: {workers: 2}
finalists: {top: 1, seeds: 2}
"""


@pytest.fixture
def recorded_file(tmp_path, monkeypatch):
    """The file of a study that the store holds, with the function that it names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("def run(lr, kind):\n    return {'loss': lr}\n")
    path = tmp_path / "done.yaml"
    path.write_text(RECORDED)
    return path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("trials: 4", "trials: 4", ["goes on: 4 trials so far, 3 completed, 1 failed"]),
        ("trials: 4", "trials: 9", ["budget.trials was 4, is now 9"]),
        ("max: 1.0", "max: 0.05", ["space.lr.max was 1.0, is now 0.05", "trials lie outside the space"]),
        ("name: done", "name: fresh", ["no study of this name in"]),
    ],
)
def test_a_study_is_compared_with_the_one_of_its_name(pegbox, store, recorded_file, old, new, words):
    recorded_file.write_text(RECORDED.replace(old, new))

    said = pegbox("validate", recorded_file, "--store", store)

    assert said.code == 0, said.err
    assert all(word in said.out for word in words)


def test_what_cannot_go_on_is_told_with_its_line_and_the_ways_on(pegbox, store, recorded_file):
    recorded_file.write_text(RECORDED.replace("epochs: 4", "epochs: 9").replace("metric: loss", "metric: error"))

    said = pegbox("validate", recorded_file, "--store", store)

    assert said.code == 2
    train, goal = sorted(said.err.splitlines())
    assert ":2:8, train: the store holds a study 'done' with another train: train.epochs was 4, is now 9." in train
    assert ":6:12, objective: " in goal
    assert "pegbox forget done" in goal


def test_the_data_is_told_with_baselines_and_warnings(pegbox, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = ["a;b;y;reason"]
    rows += [f"{i % 7};{('3,5', '4')[i % 2]};{'yes;x' if i % 3 else 'no;'}" for i in range(300)]
    (tmp_path / "rows.csv").write_text("\n".join(rows))
    text = STUDY.replace("sklearn:iris", "rows.csv").replace("target: target", "target: y")
    (tmp_path / "study.yaml").write_text(text)

    said = pegbox("validate", "study.yaml")

    assert "rows       300: 180 training, 60 validation, 60 test" in said.out
    assert "2 numbers: a, b (decimal comma)" in said.out
    assert "target     y, 2 classes: yes 66.7 %, no 33.3 %" in said.out
    assert "always 'yes': loss 0." in said.out
    assert "linear: loss " in said.out
    assert "warning: 'reason' alone tells the target (1.00 of the rows" in said.out


def test_mistakes_of_the_file_and_of_the_data_are_told_at_once(pegbox, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("a;b;y\n5 kg;inf;0\n6 g;2;1\n")
    text = STUDY.replace("sklearn:iris", "rows.csv").replace("target: target", "target: y").replace("random", "rnadom")
    (tmp_path / "study.yaml").write_text(text)

    said = pegbox("validate", "study.yaml")

    assert said.code == 2
    assert len(said.err.splitlines()) == 3
