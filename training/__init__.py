"""One configuration to metrics at a budget, and the worker pool; may import schemas only."""
