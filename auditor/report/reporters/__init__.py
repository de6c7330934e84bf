"""One reporter a file: a module here exposes `REPORTER` and is found by its name."""
