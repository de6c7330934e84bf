"""The one exception family. `cli.main` is the only place that catches it."""

from __future__ import annotations


def why(error: Exception) -> str:
    """What an error says, of the system's without its number and the path, which the message around it has."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


class AuditError(Exception):
    """The audit could not do its work. The message says what happened, where, and what to do."""

    exit_code = 2


class ConfigError(AuditError):
    """A setting in pyproject.toml or on the command line is unusable."""


class TargetError(AuditError):
    """A path given to audit does not exist or cannot be read."""


class RuleError(ConfigError):
    """A rule file cannot be loaded, or a rule id is unknown."""


class HistoryError(AuditError):
    """What came before cannot be had: no such revision, no git, or a diff or baseline that cannot be read."""


class WorkloadError(AuditError):
    """The workload cannot be started."""


class ReportError(AuditError):
    """A saved report cannot be read or written."""


class CaptureError(AuditError):
    """A profile given to be judged cannot be read, or a process cannot be attached to."""
