"""Recognises secrets in texts that a study would keep and show, masks them, and reads those that stand elsewhere.

A study is stored, shown on a page and handed to Prefect, so a secret does not stand in it: `${env:NAME}` does, and the
value is read from the environment of the process that needs it.
"""

import os
import re
from collections.abc import Iterable, Mapping

MASK = "***"

_NAME = r"(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)"
_PLACEHOLDER = r"(?!\$?\{|[\[<(\\])"
"""What follows is none of `{name}`, `${env:NAME}`, no token of a tokenizer's (`[PAD]`, `<eos>`), and no pattern."""
_SECRETS = (
    # scheme://user:password@host
    # Bounded: what a program prints may be one word of a megabyte, which is not read from each of its letters again.
    re.compile(rf"(?P<before>://[^\s/:@]{{0,200}}:){_PLACEHOLDER}(?P<secret>[^\s/@]{{1,500}})(?=@)"),
    # --password=..., API_KEY=..., ?token=..., {"password": "..."}
    re.compile(
        rf"(?P<before>{_NAME}['\"]?(?:[=:]|\s?[=:]\s?(?=['\"]))['\"]?)"
        rf"{_PLACEHOLDER}(?P<secret>[^\s'\"&;,)]{{4,}})",
        re.I,
    ),
    # Twelve characters behind the prefix, picked by hand: shorter ones are words, such as sk-learn.
    # keys that say what they are
    re.compile(r"(?P<before>\b)(?P<secret>(?:sk-|ghp_|gho_|github_pat_|glpat-|xox[abp]-|AKIA|hf_)[A-Za-z0-9_-]{12,})"),
    re.compile(r"(?P<before>\bBearer )(?P<secret>[\w.~+/-]{12,})"),
)
# An option and its value may be two arguments, which no pattern over one text sees.
_OPTION = re.compile(rf"--?[\w.-]*{_NAME}", re.I)
_ENVIRONMENT = re.compile(r"\$\{env:([A-Za-z_]\w*)\}")


def is_secret_name(name: str) -> bool:
    """True for the name of a variable or option that holds a secret.

    >>> is_secret_name("WANDB_API_KEY"), is_secret_name("MONKEY")
    (True, False)
    """
    return re.fullmatch(rf"[\w.-]*{_NAME}", name, re.I) is not None


def masked(text: str) -> str:
    """The text with what looks like a secret replaced.

    >>> masked("postgresql://me:hunter2@db/optuna"), masked("--api-key=abcdef")
    ('postgresql://me:***@db/optuna', '--api-key=***')
    """
    for pattern in _SECRETS:
        text = pattern.sub(lambda match: f"{match['before']}{MASK}", text)
    return text


def masked_secret(texts: Iterable[str]) -> str | None:
    """The first of some arguments that holds a secret, masked; None where none does.

    >>> masked_secret(["train.py", "--password", "hunter2"])
    '--password ***'
    """
    before = ""
    for text in texts:
        if masked(text) != text:
            return masked(text)
        if _OPTION.fullmatch(before) and len(text) >= 4 and not text.startswith(("-", "{", "${")):
            return f"{before} {MASK}"
        before = text
    return None


def names_of_environment(texts: Iterable[str]) -> list[str]:
    """The variables that `${env:NAME}` in some texts stands for, each once."""
    return list(dict.fromkeys(name for text in texts for name in _ENVIRONMENT.findall(text)))


def with_environment(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text with each `${env:NAME}` replaced.

    Raises:
        KeyError: The environment has no such variable.

    >>> with_environment("--key=${env:KEY}", {"KEY": "abc"})
    '--key=abc'
    """
    return _ENVIRONMENT.sub(lambda match: environment[match[1]], text)


def without_environment(text: str, names: Iterable[str], environment: Mapping[str, str] = os.environ) -> str:
    """The text with the values of those variables replaced by their names again, for logs and messages.

    >>> without_environment("no access with abcdef", ["KEY"], {"KEY": "abcdef"})
    'no access with ${env:KEY}'
    """
    for name in names:
        if len(value := environment.get(name, "")) >= 4:  # a shorter one stands in too many words
            text = text.replace(value, f"${{env:{name}}}")
    return text
