"""Whether the machines of a cluster reach Prefect."""

import socket
import threading

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from pegbox.flows.engines.cluster_engine import check_answers, check_reach, is_here, stays_away
from pegbox.schemas.errors import ClusterError

ELSEWHERE = "192.0.2.77"  # an address of documentation: no machine has it


def test_this_machine_is_known_by_its_names_and_addresses() -> None:
    assert [is_here(host) for host in ("localhost", "127.0.0.1", socket.gethostname(), ELSEWHERE)] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("url", ["http://127.0.0.1:4200/api", "http://localhost:4200/api"])
def test_far_workers_with_a_server_of_this_machine_alone_are_refused(url: str) -> None:
    with (
        temporary_settings({PREFECT_API_URL: url}),
        pytest.raises(ClusterError, match=rf"workers on {ELSEWHERE}, .* set PREFECT_API_URL"),
    ):
        check_reach(["127.0.0.1", ELSEWHERE])


def test_far_workers_with_a_server_that_all_reach_are_welcome() -> None:
    with temporary_settings({PREFECT_API_URL: "http://prefect.example:4200/api"}):
        check_reach([ELSEWHERE])


def test_workers_of_this_machine_reach_its_server() -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:4200/api"}):
        check_reach(["127.0.0.1"])


def test_an_address_where_nothing_listens_is_refused_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = f"127.0.0.1:{probe.getsockname()[1]}"

    with pytest.raises(ClusterError, match=f"Expected a cluster at ray://{free}, but nothing answers there"):
        check_answers(f"ray://{free}")


@pytest.mark.parametrize("form", ["{}", "tcp://{}", "ray://{}"])
def test_an_address_that_answers_passes(form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_answers(form.format(f"127.0.0.1:{server.getsockname()[1]}"))


def test_a_head_that_answers_is_not_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not stays_away(f"ray://127.0.0.1:{server.getsockname()[1]}", seconds=0.0)


def test_a_head_that_comes_back_in_time_is_not_away() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert stays_away(f"127.0.0.1:{port}", seconds=0.1)
        back = threading.Timer(0.3, probe.listen)
        back.start()
        assert not stays_away(f"127.0.0.1:{port}", seconds=60.0)
        back.join()
