"""From a folder of text pairs to a static embedding model; `python -m recipe --help`."""
