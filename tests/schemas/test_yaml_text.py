"""Texts that are small and would fill the memory, or the day, are refused in moments, with the place."""

import time

import pytest

from pegbox.schemas.yaml_text import MOST_CHARACTERS, MOST_VALUES, YamlTextError, parse_yaml


def chained(form: str, n: int = 12) -> str:
    return "a0: &a0 {x: 1}\n" + "".join(form.format(n=i, parts=", ".join([f"*a{i - 1}"] * 10)) for i in range(1, n))


BOMBS = {
    "aliases": (chained("a{n}: &a{n} [{parts}]\n"), "more than 50,000 values"),
    "merges": (chained("a{n}: &a{n} {{<<: [{parts}]}}\n"), "more than 50,000 values"),
    "a merge of itself": ("name: x\n<<: &m {<<: *m}\n", "an alias stands for the mapping that holds it"),
    "two merges of each other": ("a: &a {<<: &b {<<: *a}}", "an alias stands for the mapping that holds it"),
    "an alias of itself": ("a: &a [*a]", "an alias stands for the mapping that holds it"),
    "lists in lists": ("[" * 20_000, "more than 50 deep"),
    "mappings in mappings": ("\n".join("  " * level + f"a{level}:" for level in range(400)), "more than 50 deep"),
    "dashes": ("- " * 5_000, "more than 50 deep"),
    "keys of keys": ("? " * 5_000, "more than 50 deep"),
    "tags": ("tags:\n" + "".join(f"  t{n}: v\n" for n in range(200_000)), "at most 1,048,576 characters"),
    "numbers": (f"a: [{'1,' * (MOST_VALUES + 1)}]", "more than 50,000 values"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_moments(bomb: str) -> None:
    text, message = BOMBS[bomb]
    began = time.process_time()  # of this process alone: a busy machine decides no test
    with pytest.raises(YamlTextError) as caught:
        parse_yaml(text)
    assert time.process_time() - began < 30
    assert message in caught.value.problem.message


@pytest.mark.parametrize(
    "text",
    [
        f"a: {'x' * (MOST_CHARACTERS - 3)}",
        "a: " + "[" * 48 + "]" * 48,
        "".join(f"a{n}: &a{n} 1\n" for n in range(2000)),
    ],
    ids=["long", "deep", "many"],
)
def test_what_is_large_and_harmless_is_read(text: str) -> None:
    assert parse_yaml(text).value


def test_merges_give_what_they_gave() -> None:
    text = "base: &base {x: 1, y: 2}\nmore: &more {y: 3, z: 4}\na: {<<: [*base, *more], x: 0}\nb: {<<: *base}\n"
    text += "c: {<<: {}}\n"
    value = parse_yaml(text).value
    assert (value["a"], value["b"], value["c"]) == ({"x": 0, "y": 2, "z": 4}, {"x": 1, "y": 2}, {})
