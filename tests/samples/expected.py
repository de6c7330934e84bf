"""What an audit of the sample projects should say: every costly pattern beside its harmless twin."""

from dataclasses import dataclass
from typing import Literal

Expectation = Literal["confirmed", "rejected", "not-exercised"]


@dataclass(frozen=True, slots=True)
class Expected:
    """A place that a rule flags, and the verdict that measuring it leads to."""

    project: str
    file: str
    symbol: str
    rule: str
    verdict: Expectation
    why: str


@dataclass(frozen=True, slots=True)
class Clean:
    """A place that a rule must not flag; without a rule, that none may."""

    project: str
    file: str
    symbol: str
    rule: str | None
    why: str


RULES = (
    "blocking-call-in-async",
    "executor-per-call",
    "http-client-per-call",
    "json-roundtrip-copy",
    "leaked-task",
    "list-membership-in-loop",
    "map-built-per-call",
    "quadratic-dedup",
    "regex-compiled-per-call",
    "string-concat-in-loop",
    "thread-per-item",
    "unbounded-queue",
)


def _engine(file: str, symbol: str, rule: str, verdict: Expectation, why: str) -> Expected:
    return Expected("workflow_engine", file, symbol, rule, verdict, why)


def _operator(file: str, symbol: str, rule: str, verdict: Expectation, why: str) -> Expected:
    return Expected("intent_operator", file, symbol, rule, verdict, why)


EXPECTED = (
    # workflow_engine: cost is time on the CPU
    _engine(
        "workflow_engine/state.py",
        "fork",
        "json-roundtrip-copy",
        "confirmed",
        "4,800 copies of a state with 90 files, about a quarter of the run",
    ),
    _engine(
        "workflow_engine/emitter.py",
        "BufferedEmitter.run_started",
        "json-roundtrip-copy",
        "rejected",
        "601 copies of at most one label",
    ),
    _engine(
        "workflow_engine/language.py",
        "detect_language",
        "map-built-per-call",
        "confirmed",
        "45 entries built 167,415 times",
    ),
    _engine(
        "workflow_engine/prompts.py",
        "context_window",
        "map-built-per-call",
        "rejected",
        "18 entries built 3,000 times, under half a microsecond each",
    ),
    _engine(
        "workflow_engine/report.py",
        "Transcript.extend",
        "string-concat-in-loop",
        "confirmed",
        "an attribute cannot grow in place: 8,302 lines, each dearer than the one before",
    ),
    _engine(
        "workflow_engine/prompts.py",
        "render_prompt",
        "string-concat-in-loop",
        "rejected",
        "a local with one reference grows in place: 6,000 lines at a constant cost",
    ),
    _engine(
        "workflow_engine/consolidator.py",
        "find_duplicates",
        "quadratic-dedup",
        "confirmed",
        "up to 2,800 findings, each compared with each",
    ),
    _engine(
        "workflow_engine/consolidator.py",
        "count_agreements",
        "quadratic-dedup",
        "rejected",
        "600 calls with five votes",
    ),
    _engine(
        "workflow_engine/graph.py",
        "Graph.reachable",
        "list-membership-in-loop",
        "confirmed",
        "the list grows to 4,500 nodes",
    ),
    _engine(
        "workflow_engine/emitter.py",
        "BufferedEmitter.select",
        "list-membership-in-loop",
        "rejected",
        "8,302 tests of a list of three",
    ),
    _engine(
        "workflow_engine/redact.py",
        "redact",
        "regex-compiled-per-call",
        "confirmed",
        "compiled again for each of 300 tenants: IgnoreRules.__exit__ empties the cache of re",
    ),
    _engine(
        "workflow_engine/report.py",
        "slug",
        "regex-compiled-per-call",
        "rejected",
        "2,800 calls, all but the first answered by the cache of re",
    ),
    _engine(
        "examples/review_folder.py",
        "comment_prefix",
        "map-built-per-call",
        "not-exercised",
        "the workload does not run the example",
    ),
    _engine(
        "examples/review_folder.py",
        "repeated",
        "quadratic-dedup",
        "not-exercised",
        "the workload does not run the example",
    ),
    _engine(
        "examples/review_folder.py",
        "summary",
        "string-concat-in-loop",
        "not-exercised",
        "the workload does not run the example",
    ),
    # intent_operator: cost is what stays alive, piles up, is opened again or stands still
    _operator(
        "intent_operator/telemetry.py",
        "TelemetryInbox.__init__",
        "unbounded-queue",
        "confirmed",
        "16 samples come in for each that goes out: over 9,000 wait",
    ),
    _operator(
        "intent_operator/scheduler.py",
        "DriftScheduler.__init__",
        "unbounded-queue",
        "confirmed",
        "five queues without a bound, filled in bursts faster than they are drained: some 2,000 wait in one of them",
    ),
    _operator(
        "intent_operator/journal.py",
        "Journal.__init__",
        "unbounded-queue",
        "rejected",
        "at most eight reconciliations at a time wait for its reader",
    ),
    _operator(
        "intent_operator/workers.py",
        "WorkerPool.submit",
        "leaked-task",
        "confirmed",
        "a deadline of ten minutes outlives each of 180 requests",
    ),
    _operator(
        "intent_operator/tickers.py",
        "LeaseTicker.start",
        "leaked-task",
        "confirmed",
        "252 tickers, none of which can be stopped",
    ),
    _operator(
        "intent_operator/tickers.py",
        "ProgressTicker.start",
        "leaked-task",
        "rejected",
        "180 tickers, all of them stopped",
    ),
    _operator(
        "intent_operator/journal.py",
        "StatusBoard.publish",
        "leaked-task",
        "rejected",
        "360 tasks that end in the next turn of the loop",
    ),
    _operator(
        "intent_operator/clients.py",
        "ModelClient.complete",
        "http-client-per-call",
        "confirmed",
        "180 requests, 180 connections",
    ),
    _operator(
        "intent_operator/clients.py",
        "PolicyClient.fetch",
        "http-client-per-call",
        "confirmed",
        "180 requests, 180 connections",
    ),
    _operator(
        "intent_operator/clients.py",
        "resolve_images",
        "http-client-per-call",
        "rejected",
        "called once: one connection for 200 requests",
    ),
    _operator(
        "intent_operator/clients.py",
        "wait_until_ready",
        "http-client-per-call",
        "rejected",
        "one request when the operator starts",
    ),
    _operator(
        "intent_operator/watcher.py",
        "IntentWatcher.is_stable",
        "blocking-call-in-async",
        "confirmed",
        "the loop stands still 12 times for 50 ms",
    ),
    _operator(
        "intent_operator/watcher.py",
        "IntentWatcher.scan",
        "blocking-call-in-async",
        "rejected",
        "twelve reads of small files",
    ),
    _operator(
        "intent_operator/controller.py",
        "Controller.read_token",
        "blocking-call-in-async",
        "rejected",
        "three reads of seven bytes",
    ),
    _operator(
        "intent_operator/scheduler.py",
        "DriftScheduler.drain",
        "blocking-call-in-async",
        "rejected",
        "16 sleeps of a tenth of a millisecond",
    ),
    _operator(
        "intent_operator/validator.py",
        "validate",
        "executor-per-call",
        "confirmed",
        "60 executors that nothing shuts down, each with a thread",
    ),
    _operator(
        "intent_operator/validator.py",
        "load_catalogue",
        "executor-per-call",
        "rejected",
        "one executor, shut down by its context",
    ),
    _operator(
        "intent_operator/notifier.py",
        "Notifier.broadcast",
        "thread-per-item",
        "confirmed",
        "80 threads alive together",
    ),
    _operator(
        "intent_operator/notifier.py",
        "Notifier.close",
        "thread-per-item",
        "rejected",
        "two threads that end at once",
    ),
)


CLEAN = (
    Clean("workflow_engine", "workflow_engine/batcher.py", "create_batches", None, "sized first, then filled"),
    Clean("workflow_engine", "workflow_engine/state.py", "collect", None, "a reducer that appends"),
    Clean("workflow_engine", "workflow_engine/emitter.py", "BufferedEmitter.emit_batch", None, "one lock for a batch"),
    Clean("workflow_engine", "workflow_engine/graph.py", "Graph.successors", None, "deduplicated by a dict"),
    Clean(
        "workflow_engine",
        "workflow_engine/ignore.py",
        "IgnoreRules.__init__",
        "regex-compiled-per-call",
        "the pattern is not constant",
    ),
    Clean("intent_operator", "intent_operator/workers.py", "WorkerPool.__init__", "unbounded-queue", "has a bound"),
    Clean("intent_operator", "intent_operator/workers.py", "WorkerPool.__aenter__", "leaked-task", "kept, cancelled"),
    Clean("intent_operator", "intent_operator/journal.py", "Journal.__aenter__", "leaked-task", "kept, cancelled"),
    Clean("intent_operator", "intent_operator/controller.py", "Controller.reconcile_all", "leaked-task", "a TaskGroup"),
    Clean(
        "intent_operator",
        "intent_operator/workers.py",
        "WorkerPool._work",
        "blocking-call-in-async",
        "the planner runs in a thread",
    ),
    Clean(
        "intent_operator",
        "intent_operator/controller.py",
        "Controller._apply",
        "blocking-call-in-async",
        "the policy is fetched in a thread",
    ),
    Clean("intent_operator", "bench.py", "notify", "blocking-call-in-async", "the lambda runs in threads"),
)

BEYOND = (
    # places for rules that are not among the twelve
    _engine(
        "workflow_engine/engine.py",
        "Engine.replay",
        "sequential-load",
        "confirmed",
        "1,101 reads, one for every step, where the last would do",
    ),
)
