"""Profiles that people already have: read, brought home to the files audited, and turned into evidence."""
