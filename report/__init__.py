"""The answer: puts history and analysis together and renders it; may import the rooms below, never prints."""
