"""How the bundled model's reader is made; see `../README.md`."""
