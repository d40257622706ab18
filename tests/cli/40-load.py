#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo listen under load: many senders at once, and a flood of garbage. GARBAGE=N for another flood."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import cli  # noqa: E402

step = cli.Steps()
SENDERS, EACH = 10, 100
GARBAGE = int(os.environ.get("GARBAGE", "200000"))
SEED = int(os.environ.get("SEED", "20240607"))


def send_all(listen, copies):
    """Ten senders at once, each as a client does it: what was not acknowledged goes out again."""
    senders = []
    for k in range(SENDERS):
        sender = cli.Peer(silent=True, ip=f"127.0.1.{k + 1}" if k % 2 else "127.0.0.1")
        sender.waiting = {1000 * k + i: cli.message(1000 * k + i, f"{k}/{i} 你好".encode("gbk"),
                                                    f"user{k}", f"host{k}") for i in range(EACH)}
        senders.append(sender)
    end = time.monotonic() + cli.WAIT
    while any(s.waiting for s in senders):
        assert time.monotonic() < end, {k: len(s.waiting) for k, s in enumerate(senders)}
        for raws in zip(*(list(s.waiting.values()) + [None] * (EACH - len(s.waiting))
                          for s in senders)):
            for sender, raw in zip(senders, raws):
                for _ in range(copies if raw else 0):
                    sender.send(raw, listen)
        round_ends = time.monotonic() + 1
        while any(s.waiting for s in senders) and time.monotonic() < round_ends:
            for sender in senders:
                for receipt in sender.of(cli.RECVMSG):
                    sender.waiting.pop(int(receipt.ext.rstrip(b"\0")), None)
            time.sleep(0.01)
    return senders


for copies in (1, 2):
    with step("1,000 messages from 10 senders at once: each printed once, each acknowledged" +
              (", every datagram sent twice" if copies > 1 else "")):
        listen = cli.Listen("--json")
        senders = send_all(listen, copies)
        run = listen.stop()
        texts = [e["text"] for e in cli.objects(run) if e["type"] == "message"]
        wanted = {f"{k}/{i} 你好" for k in range(SENDERS) for i in range(EACH)}
        assert len(texts) == SENDERS * EACH and set(texts) == wanted, (len(texts), len(set(texts)))
        for k, sender in enumerate(senders):
            got = {int(r.ext.rstrip(b"\0")) for r in sender.of(cli.RECVMSG)}
            assert got == {1000 * k + i for i in range(EACH)}
            sender.close()


def golden():
    with open(os.path.join(cli.ROOT, "tests/golden/packets.vec"), encoding="utf-8") as f:
        return [bytes.fromhex(line[4:].strip()) for line in f if line.startswith("hex ")]


def garbage(rng, vectors):
    """One datagram: random bytes, a vector cut short, or one with bits flipped."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(0, 600))
    raw = bytearray(rng.choice(vectors)[:1400]) or bytearray(1)
    if kind == 1:
        return bytes(raw[:rng.randrange(len(raw) + 1)])
    for _ in range(rng.randrange(1, 8)):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return bytes(raw)


def flood(listen, peer, pool, count):
    """As fast as it is read: after 200 datagrams a message has to be acknowledged before the next."""
    for n in range(0, count, 200):
        for k in range(n, min(n + 200, count)):
            peer.send(pool[k % len(pool)], listen)
        probe = cli.message(900_000_000 + n, f"after {n}", "probe", "probe")
        end = time.monotonic() + cli.WAIT
        while not peer.of(cli.RECVMSG):
            assert time.monotonic() < end and listen.process.poll() is None, f"silent after {n}"
            peer.send(probe, listen)
            with peer.changed:
                peer.changed.wait_for(lambda: peer.of(cli.RECVMSG), 0.2)
        peer.packets.clear()


with step(f"{GARBAGE:,} garbage datagrams leave it alive, its memory flat, the next message shown"):
    print(f"    SEED={SEED}")
    rng = random.Random(SEED)
    vectors = golden()
    assert len(vectors) >= 100
    # so many different ones that the tables are full long before the end
    pool = [garbage(rng, vectors) for _ in range(min(GARBAGE, 40_000))]
    listen = cli.Listen("--json")
    peer = cli.Peer(silent=True)
    flood(listen, peer, pool, GARBAGE // 4)
    early = listen.rss()
    flood(listen, peer, pool, GARBAGE - GARBAGE // 4)
    late = listen.rss()
    print(f"    RSS {early >> 10} KiB after a quarter, {late >> 10} KiB at the end")
    assert cli.is_sanitized() or late <= early + (1 << 20), (early, late)
    peer.send(cli.message(123, "信鸽".encode("gbk"), "good", "good"), listen)
    listen.expect(type="message", text="信鸽", peer__user="good")
    run = listen.stop()
    summary = cli.objects(run)[-1]
    print(f"    {summary}")
    assert run.code == 0 and summary["rx_malformed"] > GARBAGE // 10

cli.done(step)
