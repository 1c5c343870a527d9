"""A program that the fault tests kill: ingests a store over and over."""

import sys
import time
from pathlib import Path

from pegbox.storage.ingest import ingest
from pegbox.storage.store import open_store

if __name__ == "__main__":
    store = open_store(Path(sys.argv[1]))
    print("ready", flush=True)
    while True:
        ingest(store)
        time.sleep(0.01)
