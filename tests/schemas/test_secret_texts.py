"""What looks like a secret is masked wherever it is said, and read from the environment where it is needed."""

import pytest

from pegbox.schemas.secret_texts import (
    masked,
    masked_secret,
    names_of_environment,
    with_environment,
    without_environment,
)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:hunter2x@db.example/optuna",
        "mysql+pymysql://me:hunter2x@db/x?charset=utf8",
        "s3://key:hunter2x@bucket/prefix",
        "--password=hunter2x",
        "--db-password=hunter2x",
        "WANDB_API_KEY=hunter2x",
        "https://host/path?token=hunter2x&x=1",
        "api_key='hunter2x'",
        "token sk-hunter2xhunter2xhunter2x",
        "ghp_hunter2xhunter2xhunter2x",
        "could not connect to postgresql://me:hunter2x@db: refused",
        '{"db_password": "hunter2x"}',
        "{'token' : 'hunter2x'}",
        "Authorization: Bearer hunter2xhunter2x",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "***" in masked(text)
    assert "hunter2x" not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "--lr={lr}",
        "--password=${env:PASSWORD}",
        "--token={token}",
        "postgresql://me:${env:PASSWORD}@db/optuna",
        "https://host:8080/path",
        "--max-tokens=10000",
        "--tokenizer=bert-base-cased",
        "python train.py --epochs 10",
        "tcp://127.0.0.1:8786",
        "study.yaml:3:1, space.lr: low must be below high, got low=0.1, high=0.01.",
        "SELECT password FROM 'users.csv'",
        "a token of four words",
        "--pad_token=[PAD]",
        "--eos_token=<eos>",
        r"metrics=regex:token=(?P<token>\S+)",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert masked(text) == text
    assert masked_secret([text]) is None


@pytest.mark.parametrize("part", ["a.", "-", "token", "a://", "password=", "sk-"])
def test_a_text_of_a_megabyte_is_read_once(part: str) -> None:
    assert masked(part * (10**6 // len(part)))  # from each letter again it would take hours


def test_a_secret_behind_its_option_is_found() -> None:
    assert masked_secret(["train.py", "--api-key", "hunter2x"]) == "--api-key ***"
    assert masked_secret(["train.py", "--api-key", "${env:KEY}", "--token", "{token}", "--password", "--x"]) is None


def test_the_environment_stands_in_and_is_taken_out_again() -> None:
    command = ["--key=${env:KEY}", "${env:OTHER}", "{lr}", "${env:KEY}"]
    assert names_of_environment(command) == ["KEY", "OTHER"]
    assert with_environment(command[0], {"KEY": "abcdef"}) == "--key=abcdef"
    assert without_environment("got abcdef", ["KEY"], {"KEY": "abcdef"}) == "got ${env:KEY}"
    assert without_environment("a ab", ["KEY"], {"KEY": "ab"}) == "a ab"
    with pytest.raises(KeyError):
        with_environment(command[1], {})
