# SPDX-License-Identifier: MIT
"""A path with faults made to order, between coo ping and an echo service.

    plan = Plan(seed, probes=60)       # what happens to each probe, and what a tester must count
    with Path(echo_port) as path:      # relays for any number of plans, in one thread
        port = path.add(plan)          # ping this port
        ...

The fate of a probe hangs on its number alone, so that no timing of the machine changes a count.
"""
import heapq
import random
import selectors
import socket
import struct
import threading
import time

LATE_DELAY = 0.7    # far beyond the -W of the tests
FATES = ["drop_up", "drop_down", "dup_up", "dup_down", "corrupt_up", "corrupt_down", "late",
         "reorder", "foreign"]


class Plan:
    """Fates of numbered probes and the counts that follow from them."""

    def __init__(self, seed, probes=60, late_until=12, fates=None):
        pick = random.Random(seed)
        allowed = fates or FATES
        self.seed, self.probes = seed, probes
        self.fate = ["none"] * probes
        self.bit = [pick.getrandbits(32) for _ in range(probes)]
        i = 0
        while i < probes - 1:
            if pick.random() < 0.45:
                fate = pick.choice(allowed)
                if fate == "late" and i >= late_until:
                    fate = "none"
                self.fate[i] = fate
                if fate == "reorder":  # it goes behind the next one, so that one has to pass
                    i += 1
            i += 1
        self.expect = self.counts()

    def counts(self):
        n = {f: self.fate.count(f) for f in FATES}
        lost = n["drop_up"] + n["drop_down"] + n["late"]
        corrupted = n["corrupt_up"] + n["corrupt_down"]
        return {
            "sent": self.probes, "lost": lost, "corrupted": corrupted,
            "received": self.probes - lost - corrupted, "late": n["late"],
            "duplicate": n["dup_up"] + n["dup_down"], "reordered": n["reorder"],
            "foreign": n["foreign"], "loss": lost / self.probes,
        }

    def flip(self, seq, data, spare_number):
        """One bit changed; the number stays whole where the way back has to read it."""
        bits = len(data) * 8
        at = self.bit[seq] % bits
        while spare_number and 12 * 8 <= at < 16 * 8:
            at = (at + 37) % bits
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        return bytes(changed)


class Relay:
    def __init__(self, plan):
        self.plan = plan
        self.front = bound()
        self.back = bound()
        self.client = None
        self.held = None
        self.answered = set()


def bound():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.setblocking(False)
    return s


class Path:
    """number_up, number_down: where a probe and its answer hold the number (STAMP: 0 and 24)."""

    def __init__(self, echo_port, number_up=12, number_down=12):
        self.echo = ("127.0.0.1", echo_port)
        self.number_up, self.number_down = number_up, number_down
        self.selector = selectors.DefaultSelector()
        self.lock = threading.Lock()
        self.later = []
        self.order = 0
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def add(self, plan):
        relay = Relay(plan)
        with self.lock:
            self.selector.register(relay.front, selectors.EVENT_READ, (self.up, relay))
            self.selector.register(relay.back, selectors.EVENT_READ, (self.down, relay))
        return relay.front.getsockname()[1]

    def run(self):
        while self.running:
            wait = 0.02
            if self.later:
                wait = max(0.0, min(wait, self.later[0][0] - time.monotonic()))
            with self.lock:
                ready = self.selector.select(wait)
            for key, _ in ready:
                handler, relay = key.data
                handler(relay)
            while self.later and self.later[0][0] <= time.monotonic():
                heapq.heappop(self.later)[2]()
            time.sleep(0)

    def up(self, relay):
        plan = relay.plan
        data, relay.client = relay.front.recvfrom(65536)
        seq = struct.unpack_from(">I", data, self.number_up)[0]
        fate = plan.fate[seq]
        if fate == "drop_up":
            return
        if fate == "corrupt_up":
            data = plan.flip(seq, data, True)
        relay.back.sendto(data, self.echo)
        if fate == "dup_up":
            relay.back.sendto(data, self.echo)

    def down(self, relay):
        plan = relay.plan
        data = relay.back.recv(65536)
        seq = struct.unpack_from(">I", data, self.number_down)[0]
        fate = plan.fate[seq]
        if fate == "drop_down":
            return
        if fate == "late":
            self.order += 1
            heapq.heappush(self.later, (time.monotonic() + LATE_DELAY, self.order,
                                        lambda: self.send(relay, data)))
            return
        if fate == "reorder" and relay.held is None:
            relay.held = data
            return
        if fate == "corrupt_down":
            data = plan.flip(seq, data, False)
        if fate == "foreign":
            self.send(relay, b"not a probe of anybody's")
        self.send(relay, data)
        if fate == "dup_down":
            self.send(relay, data)
        if relay.held is not None:
            self.send(relay, relay.held)
            relay.held = None

    def send(self, relay, data):
        relay.front.sendto(data, relay.client)
