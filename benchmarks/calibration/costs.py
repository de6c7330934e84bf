"""Parts that cost time, or do not: their share of it is what is known."""

from __future__ import annotations

import random

from benchmarks.calibration.part import Part, filled, loop, share_of


def cost(rng: random.Random, seconds: float) -> Part:
    """Things loaded one after another from a store that takes its time."""
    code = """
class Store:
    def load(self, key):
        Books.inside += spin({each})
        return key


def states(store, keys):
    found = []
    for key in keys:
        begun = now()
        found.append(store.load(key))
        Books.outside += now() - begun
        fill({rest}, {idle})
    return found


states(Store(), range({hits}))
"""
    return Part("Cost", ("sequential-load",), filled(code, loop(rng, seconds)), timed=("seconds",))


def cost_and_memory(rng: random.Random, seconds: float) -> Part:
    """Deep copies of something that takes its time."""
    code = """
import copy


class Thing:
    def __deepcopy__(self, memo):
        Books.inside += spin({each})
        return self


THING = Thing()


def snapshot(things):
    for thing in things:
        begun = now()
        copy.deepcopy(thing)
        Books.outside += now() - begun
        fill({rest}, {idle})


snapshot([THING] * {hits})
"""
    code = filled(code, loop(rng, seconds))
    return Part("Cost", ("deepcopy-in-loop",), code, timed=("seconds",))


def scaling(rng: random.Random, seconds: float) -> Part:
    """Membership in a list that grows to a length that the rest of the time dwarfs, or does not."""
    length = rng.choice([1_500, 4_000, 9_000, 14_000])
    code = """
def distinct(rows):
    seen = []
    kept = 0
    for row in rows:
        begun = now()
        if row in seen:
            kept += 1
        Books.each.append(now() - begun)
        seen.append(row)
    return kept


class Key:
    # costs the same to compare with any other, so that the cost of a search is linear
    def __eq__(self, other):
        for _ in range(20):
            pass
        return False

    __hash__ = None


distinct([Key() for _ in range({length} // 10)] if {keyed} else range({length}))
fill({rest}, {idle})
"""
    keyed = rng.random() < 0.5
    rest = seconds * rng.choice([0.3, 1.0, 3.0])
    code = filled(code, {"length": length, "keyed": keyed, "rest": rest, "idle": rng.random() < 0.3})
    searches = length // 10 if keyed else length
    exact = {"hits": searches, "size_max": searches - 1}
    rules = ("list-membership-in-loop", "quadratic-dedup")
    return Part("Scaling", rules, code, timed=("seconds",), growth=1.0 if keyed else None, exact=exact)


def constant(rng: random.Random, seconds: float) -> Part:
    """Concatenation that CPython does in place: linear in all, however much of the run it takes."""
    code = """
def render(rows):
    text = ""
    for row in rows:
        text += row
    return text


for _ in range({times}):
    render(["abcdefgh"] * {length})
    fill({rest}, False)
"""
    values = {"times": rng.choice([3, 6]), "length": rng.choice([20_000, 60_000]), "rest": seconds / 6}
    code = filled(code, values)
    exact = {"hits": values["times"] * values["length"]}
    return Part("Scaling", ("string-concat-in-loop",), code, costly=False, growth=0.0, exact=exact)


def stall(rng: random.Random, seconds: float) -> Part:
    """A coroutine that sleeps without awaiting."""
    hits = rng.randrange(5, 40)
    share = rng.choice([rng.uniform(0.15, 0.7), rng.uniform(3e-4, 0.012)])
    code = """
import asyncio
import time


async def answer():
    begun = now()
    time.sleep({each})
    Books.inside += {each}
    Books.outside += now() - begun


async def main():
    for _ in range({hits}):
        await answer()
        await asyncio.sleep({rest})


asyncio.run(main())
"""
    values = {"each": share * seconds / hits, "rest": (1 - share) * seconds / hits, "hits": hits}
    code = filled(code, values)
    timed = ("stall_total", "stall")
    return Part("Stall", ("blocking-call-in-async",), code, timed=timed, exact={"loop_hits": hits})


def repetition(rng: random.Random, seconds: float) -> Part:
    """One text parsed often, or many texts once each."""
    distinct = rng.choice([1, 3, 200])
    hits = 200
    items = rng.choice([30, 300, 5_000])
    code = """
def join(rows, text):
    for row in rows:
        begun = now()
        row.update(json.loads(text))
        Books.each.append(now() - begun)
        if text in parsed:
            Books.each_again.append(Books.each[-1])
        parsed.add(text)


parsed = set()
texts = [json.dumps({{str(key): key * number for key in range({items})}}) for number in range({distinct})]
for turn in range({hits}):
    join([{{}}], texts[turn % {distinct}])
    fill({rest}, {idle})
"""
    values = {"distinct": distinct, "items": items, "hits": hits, "rest": seconds / hits, "idle": rng.random() < 0.3}
    code = filled(code, values)
    exact = {"hits": hits, "repeats": hits - distinct}
    return Part("Repetition", ("repeated-parse",), code, timed=("seconds",), again=("repeat_seconds",), exact=exact)


def repetition_by_key(rng: random.Random, seconds: float) -> Part:
    """One list put in order often, or many once each, by a key that takes its time."""
    values = loop(rng, seconds)
    distinct = rng.choice([1, 3, values["hits"]])
    code = """
def rank(item):
    spent = spin({each} / 4)
    Books.inside += spent
    if Books.is_again:
        Books.inside_again += spent
    return -item


def ordered(rows, known):
    found = []
    for row in rows:
        begun = now()
        found.append((row, sorted(known, key=rank)))
        Books.outside += now() - begun
        if Books.is_again:
            Books.again += now() - begun
    return found


for turn in range({hits}):
    Books.is_again = turn >= {distinct}
    ordered([turn], [turn % {distinct} + number for number in (0, 1000, 2000, 3000)])
    fill({rest}, {idle})
"""
    code = filled(code, {**values, "distinct": distinct})
    exact = {"hits": values["hits"], "repeats": values["hits"] - distinct}
    rules = ("invariant-call-in-loop",)
    return Part("Repetition", rules, code, timed=("seconds",), again=("repeat_seconds",), exact=exact)


def wait(rng: random.Random, seconds: float) -> Part:
    """One thing awaited after the other."""
    hits = rng.randrange(8, 60)
    share = share_of(rng)
    code = """
import asyncio


async def fetch(url):
    await asyncio.sleep({each})
    Books.inside += {each}
    return url


async def pages(urls):
    found = []
    for url in urls:
        begun = now()
        found.append(await fetch(url))
        Books.outside += now() - begun
        fill({rest}, False)
    return found


asyncio.run(pages(range({hits})))
"""
    values = {"each": share * seconds / hits, "rest": (1 - share) * seconds / hits, "hits": hits}
    code = filled(code, values)
    return Part("Wait", ("sequential-await",), code, timed=("waited",), exact={"hits": hits})


def wait_for_lock(rng: random.Random, seconds: float) -> Part:
    """A lock that another thread holds for a while each time."""
    hits = rng.randrange(8, 60)
    share = share_of(rng)
    code = """
import time

LOCK = threading.Lock()
asked, taken = threading.Semaphore(0), threading.Semaphore(0)
released = [0.0]


def hold():
    for _ in range({hits}):
        asked.acquire()
        LOCK.acquire()
        taken.release()
        # not a suspect of its own
        getattr(time, "sleep")({each})
        released[0] = now()
        LOCK.release()


def save():
    begun = now()
    with LOCK:
        entered = now()
        time.sleep(0)
    Books.inside += max(0.0, released[0] - begun)
    Books.outside += entered - begun


threading.Thread(target=hold, daemon=True).start()
for _ in range({hits}):
    asked.release()
    taken.acquire()
    save()
    fill({rest}, False)
"""
    values = {"each": share * seconds / hits, "rest": (1 - share) * seconds / hits, "hits": hits}
    code = filled(code, values)
    return Part("Wait", ("io-under-lock",), code, timed=("waited",), exact={"hits": hits})
