"""Other tools' languages, one file a tool and direction: sweeps, stores, callbacks; may import schemas only."""
