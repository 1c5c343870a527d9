import os
import signal
import threading

import pytest

from pegbox.flows.interruption import Interruption


def test_first_signal_asks_and_second_stops() -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.is_requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_from_before_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)

    with Interruption():
        assert signal.getsignal(signal.SIGINT) != before

    assert signal.getsignal(signal.SIGINT) is before


def test_handler_from_before_is_told() -> None:
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        with Interruption():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert told == [signal.SIGTERM]


def test_who_hears_of_ctrl_c_is_told_of_a_sigterm_that_prefect_catches() -> None:
    def of_prefect(number: int, frame: object) -> None:
        raise AssertionError("the flow would be cancelled at once")

    of_prefect.__module__ = "prefect.flow_engine"
    told: list[int] = []
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda number, frame: told.append(number)),
        signal.SIGTERM: signal.signal(signal.SIGTERM, of_prefect),
    }
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    assert interruption.is_requested
    assert told == [signal.SIGTERM]


def test_outside_the_main_thread_nothing_is_caught() -> None:
    seen: list[bool] = []

    def work() -> None:
        with Interruption() as interruption:
            seen.append(interruption.is_requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [False]


def test_closed_terminal_asks_once_however_often_it_says_so() -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)

        assert interruption.is_requested


def test_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert not interruption.is_requested
