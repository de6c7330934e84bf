"""A queue that is filled before anybody takes from it is as long as its input; one filled meanwhile may have no end."""

import queue
import threading
import time


class ListOfWork:
    def __init__(self):
        self.todo = queue.Queue()  # open: unbounded-queue

    def run(self, items):
        for item in items:
            self.todo.put(item)
        workers = [threading.Thread(target=self.work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def work(self):
        while True:
            try:
                self.todo.get_nowait()
            except queue.Empty:
                return


class Feed:
    def __init__(self):
        self.todo = queue.Queue()  # costly: unbounded-queue
        threading.Thread(target=self.work, daemon=True).start()

    def run(self, items):
        for item in items:
            self.todo.put(item)
            if item % 10 == 0:
                time.sleep(0.0005)

    def work(self):
        while True:
            self.todo.get()
            time.sleep(0.0005)


class SlowStart:
    def __init__(self):
        self.todo = queue.Queue()  # harmless: unbounded-queue
        self.started = threading.Event()
        threading.Thread(target=self.work, daemon=True).start()

    def run(self, items):
        for item in items:
            self.todo.put(item)
            if item == 2_000:
                self.started.set()
            while item > 2_000 and self.todo.qsize() > 20:
                time.sleep(0.0005)

    def work(self):
        self.started.wait()
        while True:
            self.todo.get()


ListOfWork().run(range(8_000))
Feed().run(range(8_000))
SlowStart().run(range(40_000))
