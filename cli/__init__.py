"""The command line: parse, call one flow or report, print; may import every room, and alone prints."""

import time

BEGAN = time.monotonic()
"""When the command began, as near as Python lets one know: this is the first module of it that is loaded."""
