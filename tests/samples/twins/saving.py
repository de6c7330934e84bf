"""What is written at every turn costs what opening and closing its file costs, which may be more than the writing."""

import json
import os
import tempfile
import time

PLACE = os.path.join(tempfile.mkdtemp(), "state.json")


def spin(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def save_each_here(steps, path):
    for step in steps:
        with open(path, "w") as file:
            json.dump({"step": step}, file)  # costly: persist-every-step


def save_after_work(steps, path):
    for step in steps:
        spin(0.02)
        with open(path, "w") as file:
            json.dump({"step": step}, file)  # harmless: persist-every-step


save_each_here(range(6_000), PLACE)
save_after_work(range(60), PLACE)
