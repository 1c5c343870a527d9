"""Statistics over a history: arrays in, tables out; may import schemas only. No I/O, no clock."""
