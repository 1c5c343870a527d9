"""Placeholders of a command: any name, every form, and what is no placeholder."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pegbox.training.command_line import CommandValues, fill, fill_command, placeholders

CONFIGURATION = {"model.lr": 0.1, "actor-LR": 0.001, "opt/name": "adam", "amp": True, "bn": False, "layers": (64, 32)}
OWN = {"seed": 7, "epochs": 3, "resume_dir": None}


def filled(*command, configuration=None, json_file=None):
    return fill_command(command, CommandValues(configuration or CONFIGURATION, OWN, json_file))


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("model.lr={model.lr}", ["model.lr=0.1"]),
        ("{actor-LR}", ["0.001"]),
        ("--o={opt/name}", ["--o=adam"]),
        ("out/{seed}/{epochs}", ["out/7/3"]),
        ("{amp}", ["true"]),
        ("{amp?--amp}", ["--amp"]),
        ("{bn?--bn}", []),
        ("{bn?--bn:--no-bn}", ["--no-bn"]),
        ("{bn?1:0}", ["0"]),
        ("--bn={bn?yes:no}", ["--bn=no"]),
        ("{layers}", ["64,32"]),
        ("--layers={layers}", ["--layers=64,32"]),
        ("--layers={layers:json}", ["--layers=[64,32]"]),
        ("model.layers={layers}", ["model.layers=[64,32]"]),
        ("+model.layers={layers}", ["+model.layers=[64,32]"]),
        ("{opt/name:json}", ['"adam"']),
        ("{{amp}}", ["{amp}"]),
        ('{"a": {"b": 1}}', ['{"a": {"b": 1}}']),
        ("{a: 1}", ["{a: 1}"]),
        ("{}", ["{}"]),
        ("{resume_dir}", []),
        ("{unknown}", []),
        ("; rm -rf {model.lr}", ["; rm -rf 0.1"]),
    ],
)
def test_an_argument_is_filled(argument, expected):
    assert filled("train", argument) == ["train", *expected]


@pytest.mark.parametrize(
    ("placeholder", "expected"),
    [
        ("{args}", ["--model.lr=0.1", "--opt/name=adam", "--amp=true", "--bn=false", "--layers=64,32"]),
        ("{args_no_hyphens}", ["model.lr=0.1", "opt/name=adam", "amp=true", "bn=false", "layers=[64,32]"]),
        ("{args_no_boolean_flags}", ["--model.lr=0.1", "--opt/name=adam", "--amp", "--layers=64,32"]),
        ("{args_json}", ['{"model.lr":0.1,"opt/name":"adam","amp":true,"bn":false,"layers":[64,32]}']),
    ],
)
def test_all_parameters_that_are_not_named_are_handed_over(placeholder, expected):
    assert filled("train", "--alr", "{actor-LR}", placeholder) == ["train", "--alr", "0.001", *expected]


def test_all_parameters_may_stand_in_a_file(tmp_path):
    _, path = filled("train", "{args_json_file}", json_file=tmp_path / "p.json")

    assert json.loads((tmp_path / "p.json").read_text()) == {**CONFIGURATION, "layers": [64, 32]}
    assert path == str(tmp_path / "p.json")


def test_all_parameters_within_a_text_are_quoted_for_a_shell():
    _, _, text = filled("sh", "-c", "train {args}", configuration={"name": "a b", "lr": 0.1})

    assert text == "train '--name=a b' --lr=0.1"


def test_an_inactive_parameter_takes_its_option_along():
    assert filled("train", "--momentum", "{momentum}", "--lr", "{model.lr}") == ["train", "--lr", "0.1"]
    assert filled("train", "--amp", "{bn?--bn}") == ["train", "--amp"]


def test_a_parameter_goes_before_a_name_of_pegboxs():
    assert filled("{epochs}", "{args}", configuration={"epochs": 5, "args": "x"}) == ["5", "x"]


def test_a_name_of_any_letters_is_found_where_it_is_known():
    odd = {"my lr": 0.1, "a:b": 1, "lr?": 2, "学习率": 3}

    assert filled("{my lr}", "{a:b}", "{lr?}", "{学习率}", configuration=odd) == ["0.1", "1", "2", "3"]
    assert placeholders("{my lr}") == ()


def test_a_path_is_filled_like_an_argument():
    assert fill("file:{opt/name}/m.json", CommandValues(CONFIGURATION, OWN)) == "file:adam/m.json"


@given(
    st.dictionaries(st.text(min_size=1).filter(lambda name: not {*name} & {"{", "}"}), st.integers(), min_size=1),
    st.lists(st.text(max_size=8)),
)
def test_every_name_is_filled_and_other_texts_stay(configuration, texts):
    texts = [text for text in texts if "{" not in text and "}" not in text]
    command = [*texts, *(f"x{{{name}}}" for name in configuration)]

    expected = [*texts, *(f"x{value}" for value in configuration.values())]
    assert fill_command(command, CommandValues(configuration, {})) == expected


@given(st.text(alphabet="{}ab?:.lr ", max_size=30))
def test_no_braces_break_a_command(text):
    fill_command(["train", text], CommandValues({"a": 1, "lr": True}, {}))
