"""Reports to test with: small builders, one realistic report, one made of hostile text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from auditor.model import (
    Alive,
    Census,
    Edit,
    Effort,
    Evidence,
    Exercise,
    Finding,
    Fix,
    Fixed,
    Gain,
    Gained,
    Machine,
    PassRun,
    Priority,
    Remark,
    Remembered,
    Report,
    Site,
    Skip,
    Span,
    Standstill,
    Suspect,
    Unflagged,
    Verdict,
    VerdictKind,
    Waits,
    Workload,
    WorkloadRun,
)

LOAD = Workload(name="load", command="python -m shop.bench --orders 2000", cwd="/srv/shop", timeout_s=120.0)

HOSTILE = (
    "# heading\n| cell | **bold** ```\n<script>alert('x')</script> [link](https://evil.example) "
    "@octocat #1 ![i](x) </code></pre> [bold red]rich[/] \x1b[31mred\x07 \u202egnp.exe \udcff "
    '`tick` ``two`` {{ 7*7 }} " onfocus="alert(1) \\'
)


def a_row(metric: str = "seconds", value: float = 0.54, **changes: Any) -> Evidence:
    row = Evidence(
        metric=metric,
        value=value,
        low=value,
        high=value,
        unit="s",
        n=2000,
        collector="probes",
        workload="load",
    )
    return replace(row, **changes)


def a_suspect(path: str = "shop/orders.py", line: int = 42, rule: str = "json-deepcopy", **changes: Any) -> Suspect:
    span = Span(line, 12, line, 48)
    suspect = Suspect(
        rule=rule,
        path=path,
        span=span,
        symbol="Cart.copy",
        message="`json.loads(json.dumps(x))` copies by way of text",
        fingerprint=f"{rule}:{path}:{line}",
        sites=(Site("timed", span),),
        function=Span(line - 2, 5, line + 3, 1),
    )
    return replace(suspect, **changes)


def a_finding(kind: VerdictKind = VerdictKind.CONFIRMED, *evidence: Evidence, **changes: Any) -> Finding:
    """A finding; `path`, `line`, `rule`, `message`, `reason` and so on go to the part that has them."""
    of_suspect = {key: changes.pop(key) for key in (*Suspect.__slots__,) if key in changes}
    line = changes.pop("line", None)
    if line is not None:
        of_suspect["line"] = line
    reason = changes.pop("reason", "0.54 s in 2,000 executions, 27 % of the run; the thresholds are 50 ms and 2 %.")
    return Finding(suspect=a_suspect(**of_suspect), verdict=Verdict(kind, reason, evidence), **changes)


def a_run(**changes: Any) -> WorkloadRun:
    run = WorkloadRun(
        workload=LOAD,
        exit_code=0,
        wall_s=2.013,
        cpu_s=1.94,
        census=Census(3, 2, 0, (Alive("task", 3, "beat (shop/notify.py:20)", "", "sleep (shop/notify.py:22)"),)),
        passes=(
            PassRun("plain", 2.013, 0, cpu_s=1.94),
            PassRun("probes", 2.61, 0),
            PassRun("py-spy", 2.05, 0, warnings=("3 samples were lost",)),
            PassRun("memray", 0.0, None, gap="memray does not run on this platform"),
        ),
    )
    return replace(run, **changes)


def a_report(*findings: Finding, **changes: Any) -> Report:
    report = Report(
        target="shop",
        created="2026-02-03T04:05:06+00:00",
        files=31,
        lines=8_412,
        findings=findings,
        skipped=(),
        workloads=(a_run(),),
        machine=Machine(
            python="CPython 3.12.4",
            platform="Linux-6.1-x86_64",
            cpu="AMD EPYC 7B13",
            cores=8,
            versions=(("memray", "1.20.0"), ("py-spy", "0.4.3")),
        ),
        audit_version="0.1.0",
        command="audit shop --run 'python -m shop.bench --orders 2000'",
    )
    return replace(report, **changes)


def a_realistic_report() -> Report:
    """What a middle-sized project gets: something of everything."""
    kinds = (*_confirmed(), *_undecided(), *_rejected())
    return a_report(
        *kinds,
        skipped=(
            Skip("shop/legacy/py2_only.py", "not valid Python 3: Missing parentheses in call to 'print' (line 4)"),
            Skip("shop/generated/schema_pb2.py", "larger than 1 MB"),
        ),
        workloads=(
            a_run(),
            a_run(
                workload=Workload("smoke", "pytest -q tests/smoke", "/srv/shop"),
                census=None,
                exit_code=1,
                wall_s=0.84,
                cpu_s=0.31,
                passes=(PassRun("plain", 0.84, 1), PassRun("probes", 1.02, 1)),
                warnings=("the plain run failed; numbers of this workload are shown, and count",),
                last_lines=("E   AssertionError: assert 3 == 4", "1 failed, 12 passed in 0.61s"),
            ),
        ),
        notes=("2 rules of the project's own were loaded from tools/rules",),
    )


def _confirmed() -> tuple[Finding, ...]:
    deepcopy = a_finding(
        VerdictKind.CONFIRMED,
        a_row("hits", 2000.0, unit="executions"),
        a_row("seconds", 0.54, low=0.52, high=0.56, threshold=0.05),
        a_row("share", 0.268, low=0.258, high=0.278, unit="ratio", threshold=0.02),
        a_row("seconds", 0.61, low=0.53, high=0.7, n=61, collector="py-spy"),
        priority=Priority.P1,
        gain=Gain(1.35, 1.39),
        effort=Effort.LOW,
        complexity=3,
        excerpt=(
            (40, "    def copy(self) -> Cart:"),
            (41, '        """A copy that shares nothing with this one."""'),
            (42, "        return Cart(json.loads(json.dumps(self.items)))"),
            (43, ""),
            (44, "    def total(self) -> Decimal:"),
        ),
        chain=("shop.bench.main", "shop.orders.checkout", "shop.orders.Cart.copy"),
        tests=(
            Exercise(
                "smoke", 7, (("tests/smoke/test_cart.py::test_checkout[50]", 1200), ("tests/smoke/test_a.py::b", 1))
            ),
        ),
    )
    membership = a_finding(
        VerdictKind.CONFIRMED,
        a_row("hits", 48_211.0, unit="executions", n=48_211),
        a_row("seconds", 0.31, low=0.305, high=0.316, n=48_211, threshold=0.05),
        a_row("share", 0.154, low=0.151, high=0.157, unit="ratio", n=48_211, threshold=0.02),
        a_row("growth", 1.02, low=0.97, high=1.07, unit="exponent", n=48_211, threshold=0.5),
        a_row("size_max", 4_096.0, unit="items", n=48_211),
        a_row("cost_ratio", 212.0, low=190.0, high=240.0, unit="ratio", n=48_211),
        path="shop/catalogue/duplicates.py",
        line=17,
        rule="list-membership",
        symbol="find_duplicates",
        message="`sku in seen` searches a list inside a loop",
        reason="0.31 s in 48,211 searches of up to 4,096 items; the cost grows in step with the size (exponent 1.02).",
        priority=Priority.P0,
        gain=Gain(1.17, 1.19),
        effort=Effort.MEDIUM,
        complexity=11,
        excerpt=(
            (15, "    seen = []"),
            (16, "    for sku in skus:"),
            (17, "        if sku in seen:"),
            (18, "            yield sku"),
        ),
        fix=Fix(
            safe=False,
            diff=(
                "--- a/shop/catalogue/duplicates.py\n+++ b/shop/catalogue/duplicates.py\n@@ -14,4 +14,4 @@\n"
                " def find_duplicates(skus):\n-    seen = []\n+    seen = set()\n     for sku in skus:\n"
                "         if sku in seen:\n"
            ),
            edits=(Edit(Span(15, 12, 15, 14), "set()"),),
        ),
    )
    queue = a_finding(
        VerdictKind.CONFIRMED,
        a_row("depth_max", 18_204.0, unit="items", n=20_000, threshold=1000.0),
        a_row("depth_slope", 0.91, low=0.88, high=0.94, unit="items per put", n=20_000, threshold=0.5),
        path="shop/notify.py",
        line=88,
        rule="unbounded-queue",
        symbol="Notifier.__init__",
        message="`asyncio.Queue` has no bound, so nothing slows its producer down",
        reason="It grew to 18,204 items, 0.91 for every item put.",
        priority=Priority.P2,
        effort=Effort.HIGH,
        complexity=27,
        excerpt=((88, "        self.outbox: asyncio.Queue[Mail] = asyncio.Queue()"),),
    )
    return deepcopy, membership, queue


def _undecided() -> tuple[Finding, ...]:
    return (
        a_finding(
            VerdictKind.INCONCLUSIVE,
            a_row("seconds", 0.06, low=0.03, high=0.09, n=6, collector="py-spy", threshold=0.05),
            path="shop/pricing.py",
            line=203,
            rule="regex-in-loop",
            message="`re.compile` inside a loop",
            reason="Six samples say 0.06 s, which may lie on either side of 50 ms.",
            excerpt=((203, "        pattern = re.compile(rf'{prefix}-[0-9]+')"),),
        ),
        a_finding(
            VerdictKind.NOT_EXERCISED,
            path="shop/admin/export.py",
            line=31,
            rule="string-concat",
            message="`out += row` builds a string piece by piece",
            reason="No workload executed this place.",
        ),
        a_finding(
            VerdictKind.NOT_MEASURABLE,
            path="shop/native.py",
            line=12,
            rule="blocking-call",
            message="`time.sleep` inside a coroutine",
            reason="The probes pass timed out after 120 s.",
        ),
    )


def a_memory(kind: VerdictKind = VerdictKind.REJECTED, **changes: Any) -> Remembered:
    memory = Remembered(
        kind=kind,
        reason="At most 0.2 ms or 0.1 % of the run is spent here in 40 executions.",
        measured="2025-11-02T10:11:12+00:00",
        workload="load",
        command=LOAD.command,
        evidence=(a_row("hits", 40.0, unit="executions", n=40),),
    )
    return replace(memory, **changes)


def _rejected() -> tuple[Finding, ...]:
    leak_free = a_finding(
        VerdictKind.REJECTED,
        a_row("created", 120.0, unit="tasks", n=120),
        a_row("alive_end", 0.0, unit="tasks", n=120, threshold=5.0),
        path="shop/notify.py",
        line=140,
        rule="dangling-task",
        message="the task that `create_task` returns is not kept",
        reason="120 tasks were created, none was alive at the end.",
        excerpt=((140, "            asyncio.create_task(self._send(mail))"),),
    )
    cold = (
        a_finding(
            VerdictKind.REJECTED,
            a_row("hits", float(line), unit="executions", n=line),
            a_row("seconds", 0.0002, low=0.00018, high=0.00022, n=line, threshold=0.05),
            path=f"shop/views/page_{line % 7}.py",
            line=line,
            rule=("display-in-function", "string-concat", "list-membership")[line % 3],
            message="a constant dict is built on every call",
            reason=f"0.2 ms in {line} executions, under 0.1 % of the run: too little to be worth a change.",
            excerpt=((line, "    names = {'de': 'German', 'fr': 'French'}"),),
        )
        for line in range(11, 34)
    )
    return leak_free, *cold


def a_hostile_report() -> Report:
    """Every text in it comes from somebody who wants to break out of the page."""
    finding = a_finding(
        VerdictKind.CONFIRMED,
        a_row(HOSTILE, unit=HOSTILE, collector=HOSTILE, workload=HOSTILE, low=float("-inf"), threshold=0.05),
        path=HOSTILE,
        rule=HOSTILE,
        symbol=HOSTILE,
        message=HOSTILE,
        reason=HOSTILE,
        chain=(HOSTILE, HOSTILE),
        tests=(Exercise(HOSTILE, 2, ((HOSTILE, 3),)),),
        fingerprint=HOSTILE,
        remembered=(
            a_memory(reason=HOSTILE, measured=HOSTILE, workload=HOSTILE, command=HOSTILE),
            a_memory(reason=HOSTILE, stale=HOSTILE),
        ),
        excerpt=((41, "x = '''````````"), (42, HOSTILE), (43, "~~~~ </pre></details>")),
        fix=Fix(safe=True, diff=f"--- a/{HOSTILE}\n@@ -1 +1 @@\n-{HOSTILE}\n+{HOSTILE}\n", edits=()),
    )
    kinds = (finding, *(replace(finding, verdict=replace(finding.verdict, kind=kind)) for kind in VerdictKind))
    hostile_pass = PassRun(HOSTILE, 1.0, 3, gap=HOSTILE, warnings=(HOSTILE,))
    return a_report(
        *kinds,
        set_aside=(replace(finding, suppressed=HOSTILE),),
        fixed=(Fixed(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        unflagged=(Unflagged(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        remarks=(Remark(HOSTILE, 3, 4, HOSTILE),),
        target=HOSTILE,
        created=HOSTILE,
        command=HOSTILE,
        audit_version=HOSTILE,
        skipped=(Skip(HOSTILE, HOSTILE),),
        notes=(HOSTILE,),
        workloads=(
            WorkloadRun(
                Workload(HOSTILE, HOSTILE, HOSTILE),
                3,
                2.0,
                (hostile_pass,),
                warnings=(HOSTILE,),
                last_lines=(HOSTILE,),
                census=Census(
                    9, 9, 1, (Alive("task", 9, HOSTILE, HOSTILE, HOSTILE),), gained=Gained(90.0, 9.0, "tests")
                ),
                waits=Waits(0.9, 2.0, ((HOSTILE, 0.9),), ((HOSTILE, 0.9),)),
                standstill=Standstill(3, 1.0, 0.5, ((HOSTILE, 0.5),), hidden=True),
            ),
        ),
        machine=Machine(HOSTILE, HOSTILE, HOSTILE, 8, ((HOSTILE, HOSTILE),)),
    )
