"""The commands beside `audit PATH...`: one module each, with `run(arguments) -> exit code`."""
