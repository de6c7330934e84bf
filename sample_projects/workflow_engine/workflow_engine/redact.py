"""Takes secrets out of text before it is sent to a model."""

import re


def redact(text: str) -> str:
    """Replace the values of what looks like credentials by `[redacted]`."""
    secrets = re.compile(
        r"""
        (?P<name>
            \b(?:api|access|auth|client|private|secret|session|signing)[-_]?
            (?:id|key|password|secret|token)\b
            | \bpass(?:word|phrase|wd)?\b
            | \bbearer\b
        )
        (?P<separator> \s*[:=]\s* | \s+ )
        (?P<quote> ['"]? )
        (?: gh[pousr]_[A-Za-z0-9]{36}
          | xox[abpr]-[A-Za-z0-9-]{10,48}
          | (?:AKIA|ASIA)[0-9A-Z]{16}
          | ey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}
          | [A-Za-z0-9/+_-]{16,}={0,2}
        )
        (?P=quote)
        """,
        re.IGNORECASE | re.VERBOSE,
    )
    return secrets.sub(r"\g<name>\g<separator>\g<quote>[redacted]\g<quote>", text)
