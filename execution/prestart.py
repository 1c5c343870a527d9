"""Starts the process that workers are forked from ahead of time, so that its imports overlap with other start-up."""

from multiprocessing import forkserver

from pegbox.execution.slot import worker_context


def prestart(preload: tuple[str, ...]) -> None:
    """Let the fork server import these modules in the background; returns at once.

    A pool opened later with the same `preload` finds it running.
    """
    worker_context(preload)
    forkserver.ensure_running()
