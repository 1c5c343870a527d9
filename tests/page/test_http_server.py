"""Whether the live page asks for a token where only this machine reaches it."""

import os
import pwd

import pytest

from pegbox.page.http_server import is_shared_machine

SHELL = "/bin/bash"
OTHER = 1000 if os.getuid() != 1000 else 1001


def account(uid: int, shell: str) -> pwd.struct_passwd:
    return pwd.struct_passwd(("name", "x", uid, uid, "", "/home/name", shell))


@pytest.mark.parametrize(
    ("accounts", "is_shared"),
    [
        ([], False),
        ([account(OTHER, SHELL)], True),
        ([account(OTHER, "/usr/sbin/nologin")], False),
        ([account(100, SHELL), account(65534, SHELL)], False),
        ([account(os.getuid(), SHELL)], False),
    ],
)
def test_another_person_with_an_account_shares_the_machine(
    monkeypatch: pytest.MonkeyPatch, accounts: list[pwd.struct_passwd], is_shared: bool
) -> None:
    monkeypatch.setattr(pwd, "getpwall", lambda: accounts)
    assert is_shared_machine() is is_shared
