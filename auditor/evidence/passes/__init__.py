"""The passes, one file each, found by their place."""
