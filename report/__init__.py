"""The answer: puts history and analysis together as text, JSON, Markdown; may import the rooms below, never prints."""
