# SPDX-License-Identifier: MIT
"""Scripted peers of six dialects on the hosts of scripts/lab, all in this one program.

    hosts = dialects.Town(range(1, 51), loss=0.2, seed=7)   # h1 … h50
    hosts.people["10.77.0.3"].nick

Each answers entries and messages as the client it plays does, byte for byte like the vectors named
at its class. With a loss, each drops that part of what comes and of what it sends, by a generator
of its own that begins with the seed: the same seed loses the same datagrams.
"""
import ctypes
import heapq
import itertools
import os
import random
import selectors
import socket
import threading
import time

PORT = 2425
BR_ENTRY, BR_EXIT, ANSENTRY, SENDMSG, RECVMSG = 1, 2, 3, 0x20, 0x21
SENDCHECK, BROADCAST, UTF8, CAPUTF8 = 0x100, 0x400, 0x800000, 0x1000000
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Peer:
    """What all have in common; a client overrides what it does otherwise."""
    version = b"1"
    client = "ipmsg"
    legacy = "gbk"
    charset = "UTF-8"
    entry_options = 0
    surname = "钱"

    def __init__(self, number, seed=0):
        self.number = number
        self.user, self.host = f"user{number}", f"PC-{number:02}"
        self.nick, self.group = f"{self.surname}{number}", ("研发", "营业", "总务")[number % 3]
        self.address = f"10.77.0.{number}"
        self.random = random.Random(f"{seed}/{number}")
        self.packet_no = itertools.count(1783728000 + number)
        self.messages = []
        self.waiting = set()  # to whom an answer is owed

    def packet(self, command, ext, charset=None):
        head = f":{next(self.packet_no)}:".encode() + self.user.encode(charset or self.legacy) + \
            b":" + self.host.encode() + f":{command}:".encode()
        return self.version + head + ext

    def names(self, charset):
        return self.nick.encode(charset) + b"\0" + self.group.encode(charset) + b"\0"

    def entry(self, command):
        return self.packet(command | self.entry_options, self.names(self.legacy))

    def delay(self):
        return 0

    def answer(self, command, source):
        """ANSENTRY and where it goes, or None."""
        return self.entry(ANSENTRY), source

    def on_datagram(self, data, source):
        """The datagrams that follow, as (delay, bytes, address)."""
        parts = data.split(b":", 5)
        if len(parts) < 6 or not parts[4].isdigit():
            return []
        command = int(parts[4])
        if command & 0xff == BR_ENTRY and source not in self.waiting:
            answer = self.answer(command, source)
            return [(self.delay(), *answer)] if answer else []
        if command & 0xff == SENDMSG:
            return self.on_message(parts, command, source)
        return []

    def on_message(self, parts, command, source):
        self.messages.append((command, parts[5].split(b"\0")[0]))
        if not command & SENDCHECK or command & BROADCAST:
            return []
        return [(0, self.packet(RECVMSG, parts[1] + b"\0"), source)]


class Official(Peer):
    """IP Messenger for Windows (B01, B02): legacy names with a UTF-8 block, answers within 5 to 1028
    ms, once however often it is asked until then."""
    entry_options = 0x0f640000
    surname = "赵"

    def delay(self):
        return self.random.uniform(0.005, 1.028)

    def answer(self, command, source):
        if command & CAPUTF8:
            ext = self.names("utf-8") + b"\nVS:00010002:4:99:103"
            return self.packet(ANSENTRY | self.entry_options | UTF8, ext, "utf-8"), source
        return self.packet(ANSENTRY | self.entry_options, self.names(self.legacy)), source


class Feiq(Peer):
    """FeiQ 2013 (G02, G03, G05): GBK whatever it is asked."""
    client = "feiq"
    charset = "GBK"
    entry_options = 0x600000
    surname = "孙"

    def __init__(self, number, seed=0):
        super().__init__(number, seed)
        self.version = b"1_lbt6_0#128#C85B76BD9F%02X#0#0#0#4001#9" % number


class Iptux(Peer):
    """iptux (B08): icon and encoding behind the names; answers go to port 2425, wherever the entry
    came from."""
    version = b"1_iptux 0.8.3"
    client = "iptux"
    legacy = "utf-8"
    entry_options = 0x100
    surname = "李"

    def answer(self, command, source):
        ext = self.names("utf-8") + b"icon-tux.png\0utf-8\0"
        return self.packet(ANSENTRY | self.entry_options, ext), (source[0], PORT)


class Shiyeline(Peer):
    """内网通 (H01, H02): hears only entries without any option from port 2425; names of at most ten
    bytes."""
    version = b"1@shiyeline"
    client = "shiyeline"
    charset = "GBK"
    surname = "周"

    def __init__(self, number, seed=0):
        super().__init__(number, seed)
        self.group = "内网通联系人"

    def answer(self, command, source):
        if command != BR_ENTRY or source[1] != PORT:
            return None
        ext = self.names(self.legacy) + b"%032x\0" % self.number
        return self.packet(ANSENTRY, ext), source


class Feige(Peer):
    """飞鸽传书 5.1 (H06): fourteen sections."""
    version = b"1.feige.1"
    client = "feige"
    charset = "GBK"
    surname = "吴"

    def answer(self, command, source):
        ext = self.names(self.legacy) + b"A4-DB-30-9E-DA-%02X\0\0\0\0\0005\0" % self.number + \
            self.address.encode() + b"\0\0001\00010000001\0sign\0" + self.host.encode()
        return self.packet(ANSENTRY, ext), source


class Coo(Official):
    """coo itself: as the official client, with its own options and without its version."""
    version = b"1_coo_0.1.0"
    client = "coo"
    entry_options = CAPUTF8
    surname = "郑"

    def answer(self, command, source):
        if command & CAPUTF8:
            return self.packet(ANSENTRY | CAPUTF8 | UTF8, self.names("utf-8"), "utf-8"), source
        return self.packet(ANSENTRY | CAPUTF8, self.names(self.legacy)), source


DIALECTS = (Official, Feiq, Iptux, Shiyeline, Feige, Coo)


def socket_on(host):
    """A UDP socket on port 2425 of a host of the lab."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{host}", os.O_RDONLY)
    try:
        if LIBC.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.bind(("", PORT))
        s.setblocking(False)
        return s
    finally:
        LIBC.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(there)


class Town:
    """One peer on each host, the dialects in turn; answers until the program ends."""

    def __init__(self, numbers, loss=0.0, seed=0, host="h{}", network="10.77.0.{}"):
        self.people = {}
        self.loss = loss
        self.lost = 0
        self.due = []
        self.order = itertools.count()
        self.selector = selectors.DefaultSelector()
        for number in numbers:
            peer = DIALECTS[number % len(DIALECTS)](number, seed)
            peer.address = network.format(number)
            self.people[peer.address] = peer
            self.selector.register(socket_on(host.format(number)), selectors.EVENT_READ, peer)
        threading.Thread(target=self._run, daemon=True).start()

    def _drops(self, peer):
        dropped = self.loss > 0 and peer.random.random() < self.loss
        self.lost += dropped
        return dropped

    def _receive(self, key):
        peer = key.data
        data, source = key.fileobj.recvfrom(65535)
        if self._drops(peer):
            return
        for delay, answer, to in peer.on_datagram(data, source):
            if delay:
                peer.waiting.add(source)
            heapq.heappush(self.due, (time.monotonic() + delay, next(self.order), key.fileobj,
                                      peer, answer, source, to))

    def _send_due(self):
        while self.due and self.due[0][0] <= time.monotonic():
            _, _, sock, peer, answer, source, to = heapq.heappop(self.due)
            peer.waiting.discard(source)
            if not self._drops(peer):
                sock.sendto(answer, to)

    def _run(self):
        while True:
            wait = max(0, self.due[0][0] - time.monotonic()) if self.due else None
            for key, _ in self.selector.select(wait):
                self._receive(key)
            self._send_due()

    def say(self, address, command):
        """An entry, exit or absence of one of them by broadcast."""
        for key in self.selector.get_map().values():
            if key.data.address == address:
                key.fileobj.sendto(key.data.entry(command), ("255.255.255.255", PORT))

    def check(self, found, how):
        """The addresses of those that coo peers --json lists, each once and as it is."""
        seen = set()
        for event in found:
            peer = event["peer"]
            real = self.people[peer["addr"]]
            assert peer["addr"] not in seen, f"{peer['addr']} twice"
            seen.add(peer["addr"])
            want = (real.nick, real.group, real.user, real.host, real.client, real.charset, PORT)
            got = tuple(peer[key] for key in ("nick", "group", "user", "host", "client",
                                              "charset", "port"))
            assert got == want, f"{got} instead of {want}"
            assert event["found"] == how, event
            assert 0 < event["rtt_ns"] < 5e9, event
        return seen
