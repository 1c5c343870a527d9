"""The command line: parse, call one flow or report, print; may import every room, and alone prints."""
