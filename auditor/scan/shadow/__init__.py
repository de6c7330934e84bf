"""LibCST nodes made from the `ast`, on demand: what rules look at in place of what LibCST's parser would give."""

from auditor.scan.shadow.node import NotShadowedError
from auditor.scan.shadow.tree import Shadow

__all__ = ["NotShadowedError", "Shadow"]
