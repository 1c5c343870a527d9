"""Studies from Python and notebooks: `pegbox.Study`; may import every room but the command line."""
