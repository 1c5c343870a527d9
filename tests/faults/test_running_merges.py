"""Two machines' stores, two directories and two hostnames, are merged into each other while both are driven."""

import time
from pathlib import Path

import pytest
from faults.test_store_kills import DOUBLED, PARTIAL, Program

from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import verify
from pegbox.storage.merging import merge_store

COMPLETED = "SELECT study, count(*) FROM trials WHERE state = 'completed' GROUP BY study ORDER BY study"


def asked(store: StoreLayout, query: str) -> list[tuple[object, ...]]:
    with open_history(store.root) as file:
        return file.sql(query).fetchall()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_stores_of_two_machines_are_merged_while_both_run(tmp_path: Path) -> None:
    stores = {host: StoreLayout(tmp_path / host / ".pegbox") for host in ("anna", "bert")}
    programs = [Program("store_writer.py", str(stores[host].root), "hill", "run", host, "0.05") for host in stores]
    anna, bert = stores["anna"], stores["bert"]
    n_new = 0
    try:
        for _ in range(2):
            n_new = merge_store(anna, bert).n_events
            assert merge_store(bert, anna).n_events > 0
            assert asked(anna, DOUBLED) == asked(bert, DOUBLED) == [(0, 0, 0)]
            assert asked(anna, PARTIAL) == [(0,)]  # no trial without the metrics that its worker reported before
            time.sleep(0.2)
    finally:
        said = [program.kill() for program in programs]
    assert n_new > 0  # the second time brought more, because its driver went on
    acknowledged = [sum(words[0] == "completed" for words in one) for one in said]
    assert all(acknowledged)

    merge_store(anna, bert)
    merge_store(bert, anna)

    mine, hers = (dict(asked(stores[host], COMPLETED)) for host in ("anna", "bert"))
    assert set(mine) == {"hill", "hill@bert"}
    assert set(hers) == {"hill", "hill@anna"}
    assert (mine["hill"], mine["hill@bert"]) == (hers["hill@anna"], hers["hill"])
    for count, least in zip((mine["hill"], hers["hill"]), acknowledged, strict=True):
        assert count >= least
    assert merge_store(anna, bert).n_events == merge_store(bert, anna).n_events == 0
    hosts = {path.name.split("-")[2] for path in (*anna.journal.glob("*-driver-*"), *anna.archive.glob("*-driver-*"))}
    assert hosts == {"anna", "bert"}
    for store in stores.values():
        assert verify(store).is_whole
