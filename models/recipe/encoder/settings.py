"""Settings of a run: a TOML file, with single values changed on the command line."""

import tomllib
from pathlib import Path


def load(path: Path, changes: list[str]) -> dict:
    """The file's tables; each change is `table.key=value`, the value written as in TOML."""
    settings = tomllib.loads(path.read_text())
    for change in changes:
        name, _, value = change.partition("=")
        *tables, key = name.split(".")
        place = settings
        for table in tables:
            place = place[table]
        if key not in place:
            raise SystemExit(f"no setting `{name}` in `{path}`")
        place[key] = tomllib.loads(f"value = {value}")["value"]
    return settings


def with_changes(settings: dict, changes: dict) -> dict:
    """The settings with those of a run in their places."""
    changed = dict(settings)
    for key, value in changes.items():
        changed[key] = with_changes(settings[key], value) if isinstance(settings.get(key), dict) else value
    return changed
