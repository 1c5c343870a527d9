"""A Python program that is started beside a test, as a user starts it: with a server's address, and its words kept."""

import os
import subprocess
import sys
from pathlib import Path


def start(project: Path, api: str, *command: str) -> "subprocess.Popen[str]":
    """Start `python COMMAND` in a folder.

    Args:
        project: The folder.
        api: Address of Prefect's server.
        command: The arguments of Python.
    """
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=project,
        env={**os.environ, "PREFECT_API_URL": api},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
