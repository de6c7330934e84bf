"""The workload: a morning of reviews for many tenants, with invented sources and models."""

import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from workflow_engine import BufferedEmitter, Engine, FileStore, Graph, State
from workflow_engine.batcher import create_batches, scan
from workflow_engine.consolidator import Finding, Vote, count_agreements, find_duplicates
from workflow_engine.ignore import IgnoreRules
from workflow_engine.prompts import context_window, render_prompt
from workflow_engine.redact import redact
from workflow_engine.report import Transcript, render_report
from workflow_engine.state import collect

REVIEWERS = {
    "docs": "garnet-mini",
    "performance": "atlas-large",
    "security": "cedar-2-long",
    "style": "ember-34b",
    "tests": "fjord-pro",
}
SUFFIXES = ("py", "go", "ts", "rs", "md", "yaml", "sql", "lock", "svg")


def scan_tenants(tenants: int, paths_each: int) -> None:
    """Scan the tree of every tenant, batch it and redact a sample of each."""
    languages: Counter[str] = Counter()
    batches = redacted = 0
    for tenant in range(tenants):
        paths = [
            f"tenant{tenant}/pkg{index % 29}/file{index}.{SUFFIXES[index % len(SUFFIXES)]}"
            for index in range(paths_each)
        ]
        with IgnoreRules([f"tenant{tenant}/pkg{tenant % 29}/*", "*.lock"]) as rules:
            files = scan(paths, rules)
            for index in range(5):
                sample = f"region = eu\napi_key = 'k{tenant:08d}{index:08d}'\n"
                redacted += redact(sample).count("[redacted]")
        languages.update(file.language for file in files)
        batches += len(create_batches(files, 64))
    print(f"scan: {batches} batches, {redacted} secrets, {languages.most_common(3)}")


def review_graph() -> Graph:
    """Build the graph of one review: two fan-outs, each of which joins again."""

    def load(state: State) -> State:
        text = "\n".join(file["path"] for file in state["files"])
        return {"digest": hashlib.sha256(text.encode()).hexdigest()}

    def review(state: State, reviewer: str) -> State:
        window = context_window(REVIEWERS[reviewer])
        worst = max(state["files"][: window // 4], key=lambda file: hash_of(reviewer, file["path"]))
        verdict = "approve" if hash_of(reviewer, state["digest"]) % 3 else "reject"
        return {"findings": [worst["path"]], "votes": [[reviewer, verdict]]}

    def consolidate(state: State) -> State:
        return {"agreements": count_agreements([Vote(*vote) for vote in state["votes"]])}

    def publish(state: State, channel: str) -> State:
        return {f"sent_{channel}": len(set(state["findings"]))}

    graph = Graph()
    graph.add("load", load)
    for name in REVIEWERS:
        graph.add(name, partial(review, reviewer=name), after=["load"])
    graph.add("consolidate", consolidate, after=REVIEWERS)
    for channel in ("chat", "mail", "web"):
        graph.add(channel, partial(publish, channel=channel), after=["consolidate"])
    return graph


def hash_of(*parts: str) -> int:
    """Return a number that depends on the parts only."""
    return int.from_bytes(hashlib.blake2b("/".join(parts).encode(), digest_size=6).digest())


def run_reviews(emitter: BufferedEmitter, runs: int) -> None:
    """Run one review for every pull request."""
    engine = Engine(review_graph(), emitter, reducers={"findings": collect, "votes": collect})
    agreements = sent = 0
    for number in range(runs):
        files = [
            {
                "path": f"src/module{index}/part{number}.py",
                "language": "python",
                "added": [f"line {line} of change {number}" for line in range(6)],
                "owners": {"team": f"team{index % 5}", "backup": f"team{index % 3}"},
            }
            for index in range(90)
        ]
        state = engine.run(f"review-{number}", {"files": files}, {"tenant": f"t{number % 9}"})
        agreements += state["agreements"]
        sent += state["sent_web"]
    print(f"reviews: {runs} runs, {agreements} agreements, {sent} findings sent")


def migrate(emitter: BufferedEmitter, root: Path, steps: int) -> None:
    """Run a long chain with checkpoints and replay it, as after a crash."""

    def advance(state: State) -> State:
        position = state["position"] + 1
        return {"position": position, "last": hash_of(str(position)), "done": state["done"][-600:]}

    graph = Graph()
    graph.add("step0", advance)
    for number in range(1, steps):
        graph.add(f"step{number}", advance, after=[f"step{number - 1}"])
    engine = Engine(graph, emitter, store=FileStore(root))
    engine.run("migration", {"position": 0, "done": [f"table_{number}" for number in range(600)]})
    checkpoint = engine.replay("migration")
    print(f"migration: replayed to step {checkpoint.step}, last {checkpoint.state['last']}")


def plan(nodes: int) -> None:
    """Check the plan of a whole repository: a node for every file, joined by its imports."""
    graph = Graph()
    graph.add("file0", dict)
    for number in range(1, nodes):
        parents = {number - 1, number * 3 // 4}
        graph.add(f"file{number}", dict, after=[f"file{parent}" for parent in sorted(parents)])
    graph.check()
    print(f"plan: {len(graph)} nodes")


def consolidate(sizes: tuple[int, ...]) -> None:
    """Look for duplicates in reviews of several sizes and report the largest."""
    chance = random.Random(20)
    for size in sizes:
        findings = [
            Finding(number, f"{chance.randrange(size * 4):016x}", f"Check result {number}!")
            for number in range(size)
        ]
        print(f"consolidate: {size} findings, {len(find_duplicates(findings))} duplicates")
    print(f"report: {len(render_report(findings))} characters")


def log_lines(emitter: BufferedEmitter) -> Iterator[str]:
    """Yield a line for every event of interest."""
    kinds = ["run-started", "node-finished", "run-finished"]
    for number, event in enumerate(emitter.select(kinds)):
        yield f"{number} {event.run_id} {event.kind:<20} {event.detail or '-':<80} (t{number % 9})"


def write_up(emitter: BufferedEmitter, prompts: int, lines: int) -> None:
    """Render the transcript of the session and the prompts for the next one."""
    transcript = Transcript()
    transcript.extend(log_lines(emitter))
    print(f"transcript: {transcript.lines} lines, {len(transcript.text)} characters")
    size = 0
    for number in range(prompts):
        code = (f"value_{line} = compute({number}, {line})" for line in range(lines))
        size += len(render_prompt("Review this module.", code))
    print(f"prompts: {size} characters")


def main() -> None:
    """Run every part of the workload once."""
    emitter = BufferedEmitter()
    scan_tenants(tenants=300, paths_each=650)
    run_reviews(emitter, runs=600)
    with tempfile.TemporaryDirectory() as folder:
        migrate(emitter, Path(folder), steps=1100)
    plan(nodes=9000)
    consolidate((600, 1200, 2400, 4800))
    write_up(emitter, prompts=4, lines=1500)


if __name__ == "__main__":
    main()
