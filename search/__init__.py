"""History in, decision out: samplers, schedules and strategies; may import schemas only. No I/O, no clock."""
