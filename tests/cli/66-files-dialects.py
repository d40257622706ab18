#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Folders and requests in the forms that FeiQ, the official client, iptux and others have on the wire:
headers of any width, RETPARENT with and without a name or attributes, a preamble, names in GBK, no NUL
at the end, no offset, two connections at once."""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
listener = files.Listener(place, "--accept", "all", "--save-dir", target)
peer = files.Peer(listener)
TIMES = b":14=6a52e280:16=6a52e280:"


def record(name, size, kind, attributes=b":", data=b""):
    rest = b":" + name + b":" + size + b":" + kind + attributes
    return b"%04x" % (len(rest) + 4) + rest + data


def folder(up, size=b"0", attributes=b":"):
    """A folder, a folder in it, a file in each; as up one leaves a folder."""
    nine = b"%09x" if size == b"000000000" else b"%x"
    return (record(b"x", size, b"2", attributes) +
            record(b"a", nine % 5, b"1", attributes, b"hello") +
            record(b"sub", size, b"2", attributes) +
            record(b"b", nine % 3, b"1", attributes, b"you") + up + up)


STREAMS = {
    "official": (b"1", folder(record(b".", b"0", b"3", TIMES), b"000000000", TIMES)),
    "iptux": (b"1_iptux 0.8.3", folder(record(b".", b"000000000", b"3", TIMES), b"000000000", TIMES)),
    "plain": (b"1", folder(b"000b:.:0:3:")),
    "nine": (b"1", folder(b"0013:.:000000000:3:", b"000000000")),
    "short-times": (b"1", folder(record(b".", b"0", b"3", b":14=6a52e280:"), b"0", b":14=6a52e280:")),
    "unknown-attributes": (b"1", folder(b"000b:.:0:3:", b"0", b":99=zz:14=6a52e280:16=1,2,3:")),
    "cut-at-the-end": (b"1", folder(b"000b:.:0:3:")[:-11]),
    "feiq": (b"1_lbt6_0#128#001122334455#0#0#0#4001#9",
             b"0<" + b"\0" * 4096 + folder(b"000b:.:0:3:")),
    "nothing-after": (b"1", folder(b"000b:.:0:3:") + b"\0" * 100),
}

with step(f"{len(STREAMS)} forms of one folder, whole and cut into single bytes"):
    for name, (version, stream) in STREAMS.items():
        peer.version = version
        for pieces in ([stream], [stream[i:i + 1] for i in range(len(stream))]):
            if name == "feiq" and len(pieces) > 1:
                pieces = [stream[:4097], stream[4097:4099], stream[4099:]]
            peer.offer(b"0:%s:0:6a52e280:2:\a" % name.encode(), pieces)
            end = listener.expect(type="transfer", name=name,
                                  status=lambda s: s in ("done", "failed"))
            if name == "cut-at-the-end":
                assert end["status"] == "failed", end
                continue
            assert end["status"] == "done" and end["files"] == 2, end
            got = files.tree(end["path"])
            assert {k: v[0] for k, v in got.items()} == {"a": "file", "sub": "dir", "sub/b": "file"}
            if "14=" in repr(stream):
                assert {v[2] for v in got.values()} == {0x6a52e280}, got

with step("names in GBK of FeiQ and in UTF-8 of iptux are what they were, also where both are valid"):
    for version, charset in ((b"1_lbt6_0#128#001122334455#0#0#0#4001#9", "gbk"),
                             (b"1_iptux 0.8.3", "utf-8"), (b"1", "gbk"), (b"1_coo_9", "gbk")):
        peer.version = version
        words = ["报告", "目录"] if version != b"1" else ["报告"]  # 目录 in GBK is UTF-8, too
        up = b"000b:.:0:3:"
        stream = record(b"x", b"0", b"2") + b"".join(
            record(w.encode(charset), b"0", b"1") for w in words) + up
        peer.offer(b"0:%s:0:6a52e280:2:\a" % words[-1].encode(charset),
                   [stream if version != b"1_coo_9" else stream.decode("gbk").encode()[:0] +
                    record(b"x", b"0", b"2") + b"".join(record(w.encode(), b"0", b"1")
                                                        for w in words) + up])
        end = listener.expect(type="transfer", status=lambda s: s in ("done", "failed"))
        assert end["status"] == "done" and end["name"] == words[-1], (version, end)
        assert sorted(os.listdir(end["path"])) == sorted(words), (version, os.listdir(end["path"]))
    assert peer.requests[-1].split(b":")[4] == b"%d" % (0x62 | 0x800000), "another coo reads UTF-8"
listener.stop()

tree = os.path.join(source, "tree")
os.makedirs(os.path.join(tree, "sub"))
files.write(tree, "a", 300000)
files.write(os.path.join(tree, "sub"), "b", 10)
plain = files.write(source, "plain", 1000)
content = open(plain, "rb").read()

with step("every form of request is served"):
    to = files.Recipient()
    last = files.write(source, "last", 3)
    sender = lab.Coo(None, "send", "--json", to.target, "-f", plain, "-f", tree, "-f", last,
                     env=place.env)
    to.take_offer()

    def ask(command, body):
        with socket.create_connection(to.sender, lab.WAIT) as s:
            s.sendall(b"1_lbt6_0#128#0#0#0#0#4001#9:5:slow:here:%d:" % command + body)
            return files.read_all(s)

    n = to.packet
    for body in (b"%x:0:0:\0" % n, b"%x:0:0\0" % n, b"%x:0:0" % n, b"%x:0:0:" % n, b"%d:0:0:\0" % n,
                 b"%x:0:0:extra:more:\0" % n, b"%X:0:00000000:\0" % n):
        assert ask(0x60, body) == content, body
        assert ask(0x200060, body) == content, body
    assert ask(0x60, b"%x:0:3e0:\0" % n) == content[0x3e0:]
    trees = {ask(0x62, body) for body in
             (b"%x:1:\0" % n, b"%x:1" % n, b"%x:1::" % n, b"%x:1:0:\0" % n, b"%d:1:0\0" % n)}
    assert len(trees) == 1, len(trees)
    one = trees.pop()
    assert one.startswith(b"002e:tree:000000000:2:14="), one[:60]
    assert one.count(b":.:0:3:14=") == 2 and b"0:1:14=" in one
    record_of_one = ask(0x62, b"%x:0:\0" % n)
    assert record_of_one.endswith(content) and record_of_one[5:10] == b"plain", record_of_one[:60]
    assert ask(0x60, b"%x:1:0:\0" % n) == b"", "a folder is no file"
    assert len(ask(0x60, b"%x:2:0:\0" % n)) == 3
    assert sender.process.wait(lab.WAIT) == 0

with step("FeiQ's two connections for one folder are served both"):
    to = files.Recipient()
    sender = lab.Coo(None, "send", "--json", to.target, "-f", tree, "-f", plain, env=place.env)
    to.take_offer()
    both = [to.ask(0, folder=True) for _ in range(2)]
    got = [None, None]
    readers = [threading.Thread(target=lambda i=i: got.__setitem__(i, files.read_all(both[i])))
               for i in range(2)]
    for t in readers:
        t.start()
    for t in readers:
        t.join(lab.WAIT)
    for s in both:
        s.close()
    assert got[0] == got[1] == one, [len(g or b"") for g in got]
    s = to.ask(1)
    assert files.read_all(s) == content
    s.close()
    assert sender.process.wait(lab.WAIT) == 0

with step("an offer belongs to who has begun to fetch it"):
    to = files.Recipient()
    sender = lab.Coo(None, "send", "--json", "-v", to.target, "-f", plain, "-f", tree, env=place.env)
    to.take_offer()
    s = to.ask(0)
    assert files.read_all(s) == content
    s.close()
    with socket.create_connection(to.sender, lab.WAIT) as s:
        s.sendall(b"1:5:else:here:%d:%x:0:0:\0" % (0x60, to.packet))
        assert files.read_all(s) == b""
    sender.expect(type="transfer", status="refused")
    s = to.ask(1, folder=True)
    assert files.read_all(s) == one
    s.close()
    assert sender.process.wait(lab.WAIT) == 0

place.close()
step.done()
