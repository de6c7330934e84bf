"""The data every layer speaks: suspects, evidence, verdicts, findings, reports.

Data flows one way: files -> Suspect -> Profile -> Evidence -> Verdict -> Finding -> Report -> text.
Everything here is frozen and holds no behaviour beyond simple derived values.
"""

from auditor.model.basics import (
    Change,
    Effort,
    Priority,
    Span,
    VerdictKind,
)
from auditor.model.expectations import (
    Backlog,
    Cost,
    Expectation,
    Repetition,
    Reuse,
    Scaling,
    Stall,
    Survivors,
    Wait,
)
from auditor.model.measurements import (
    Alive,
    Census,
    Evidence,
    Exercise,
    Gap,
    Observation,
    PassRun,
    Service,
    Source,
    Workload,
    WorkloadRun,
)
from auditor.model.results import (
    UNMEASURED,
    Edit,
    Finding,
    Fix,
    Fixed,
    Gain,
    Machine,
    Remembered,
    Report,
    Verdict,
)
from auditor.model.suspects import (
    Remark,
    Site,
    Skip,
    Suppression,
    Suspect,
)

__all__ = [
    "UNMEASURED",
    "Alive",
    "Backlog",
    "Census",
    "Change",
    "Cost",
    "Edit",
    "Effort",
    "Evidence",
    "Exercise",
    "Expectation",
    "Finding",
    "Fix",
    "Fixed",
    "Gain",
    "Gap",
    "Machine",
    "Observation",
    "PassRun",
    "Priority",
    "Remark",
    "Remembered",
    "Repetition",
    "Report",
    "Reuse",
    "Scaling",
    "Service",
    "Site",
    "Skip",
    "Source",
    "Span",
    "Stall",
    "Suppression",
    "Survivors",
    "Suspect",
    "Verdict",
    "VerdictKind",
    "Wait",
    "Workload",
    "WorkloadRun",
]
