"""The nouns of pegbox: frozen pydantic models and the error tree; imports no other room."""
