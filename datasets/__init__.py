"""Load, split and fingerprint data; may import schemas only. No model code."""
