"""Where numbers are taken: interpreter, platform, processor, versions of the measuring tools."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from auditor.installed import version
from auditor.model import Machine

_TOOLS = ("libcst", "memray", "py-spy", "radon")


def this_machine() -> Machine:
    """The machine and the versions in use. What is not known is named "unknown"."""
    return Machine(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=_platform(),
        cpu=_processor(),
        cores=_usable_cores(),
        versions=tuple((tool, version(tool)) for tool in _TOOLS),
    )


def _platform() -> str:
    if sys.platform != "linux":
        return platform.platform(terse=True)
    # the same without the name of the processor, for which a process is started
    system = os.uname()
    return "-".join((system.sysname, system.release, system.machine, "with", "".join(platform.libc_ver())))


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
