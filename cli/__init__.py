"""The command line: parse, call one flow or report, print; may import every room below and is the only one that prints."""
