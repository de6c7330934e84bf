"""A process started for every item of a loop."""

from __future__ import annotations

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Reaches, Rule, Where

_RUNNERS = (
    *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "getoutput", "getstatusoutput")),
    *("subprocess.Popen", "os.system", "os.popen", "os.spawnv", "os.spawnvp", "pexpect.run", "plumbum.local"),
    *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "anyio.run_process", "trio.run_process"),
)

_STEPS = 3
"""Two functions and the end: what is further away is mostly asked for in one case of many."""


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    way = ctx.way(node)
    if len(way) > _STEPS:
        return None
    if (ctx.qualified(node.func) not in _RUNNERS and not way) or ctx.handed(node) is not None:
        return None
    loops = ctx.item_loops(node)
    if not loops or ctx.is_paced(loops[0]) or ctx.carries(node, loops[0]):
        return None
    done = f"leads to `{way[-1].name}`, which starts" if way else "starts"
    message = f"`{' '.join(ctx.code(node.func).split())}` {done} a process for every item of the loop"
    return Match(message, (Plant("called", node),), chain=way)


RULE = Rule(
    id="subprocess-per-item",
    title="Process started for every item",
    kind=Kind.REUSE,
    page=Page(
        what=(
            "`subprocess.run`, `check_output`, `Popen`, `os.system` and the like in a loop or comprehension over data,"
            " also by way of at most two functions of the project; the chain of calls is shown."
            " Not flagged: `while` loops, loops of at most 16 turns, over batches or with a sleep, and those that end"
            " or go on according to what the process said. Of a `Popen` only the start is timed, as the rest may run"
            " beside."
        ),
        why=(
            "Starting a process takes about a millisecond, an interpreter or compiler ten to a hundred, before it does"
            " any work; and the loop waits for each to end before the next is started."
        ),
        harmless="When what the process does dwarfs its start, and one at a time is what the machine can do anyway.",
        measured="Executions, and the seconds spent in them. Confirmed when they are a sizeable part of the run.",
        fix=(
            "Hand all items to one process (most tools take many files, or a list on standard input), use a library in"
            " place of the program, or run several at a time with `ThreadPoolExecutor.map`."
        ),
        references=(
            "ansible-core 2.19.14, ansible/plugins/lookup/pipe.py:66: a shell for every term",
            "CPython 3.11.7, mailcap.py:191: harmless, the few entries of one type of mail",
        ),
    ),
    triggers=(Calls(_RUNNERS, Where(loop=True)), Reaches(_RUNNERS, Where(loop=True))),
    expects=Cost(),
    check=check,
    valid=(
        "import subprocess\n\ndef lint(files):\n    subprocess.run(['lint', *files], check=True)\n",
        # few
        "import subprocess\n\ndef build():\n    for step in ('configure', 'make', 'install'):\n"
        "        subprocess.run([step], check=True)\n",
        # tried again
        "import subprocess, time\n\ndef push(times):\n    for _ in range(times):\n"
        "        if subprocess.call(['git', 'push']) == 0:\n            break\n        time.sleep(5)\n",
        "import subprocess\n\ndef lint(files, size):\n    for i in range(0, len(files), size):\n"
        "        subprocess.run(['lint', *files[i:i + size]])\n",
        # the first that is there
        "import subprocess\n\ndef find(compilers):\n    for compiler in compilers:\n        try:\n"
        "            return subprocess.check_output([compiler, '--version'])\n        except OSError:\n"
        "            continue\n",
        "def f(jobs):\n    for job in jobs:\n        job.run()\n",
        # several at a time
        "import subprocess\n\ndef lint(pool, files):\n"
        "    return list(pool.map(lambda file: subprocess.run(['lint', file]), files))\n",
    ),
    invalid=(
        "import subprocess\n\ndef git(*words):\n    return subprocess.check_output(('git', *words))\n\n"
        "def dates(files):\n    return {file: git('log', '-1', file) for file in files}\n",
        "import subprocess\n\ndef lint(files):\n    for file in files:\n        subprocess.run(['lint', file])\n",
        "from subprocess import check_output as out\n\ndef sizes(files):\n"
        "    return {file: out(['du', file]) for file in files}\n",
        "import os\n\ndef clean(folders):\n    for folder in folders:\n        os.system(f'rm -r {folder}')\n",
        "import subprocess\n\ndef start(commands):\n    running = []\n    for command in commands:\n"
        "        running.append(subprocess.Popen(command))\n    return running\n",
        "import subprocess\n\ndef lint(files):\n"
        "    return list(map(lambda file: subprocess.run(['lint', file]), files))\n",
    ),
)
