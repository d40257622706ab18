#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Offers, streams and requests that mean harm, each by itself: nothing outside the folder changes, the
refusal is said, memory stays flat and the listener goes on. A disk that is full: tests/netns; the
limits of time as they are: tests/long."""
import itertools
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
around = place.dir("around")
save = place.dir("around/save")
os.symlink(place.dir("around/secret"), os.path.join(save, "planted"))
with open(os.path.join(around, "secret", "key"), "w", encoding="ascii") as f:
    f.write("secret")
os.symlink("../secret/key", os.path.join(save, "key"))

listener = files.Listener(place, "--accept", "all", "--save-dir", save, "--max-file", "64M",
                          "--max-total", "80M", "--max-entries", "2000")


def header(name, size, kind, length=None):
    rest = b":" + name + b":" + size + b":" + kind + b":"
    return (b"%04x" % (len(rest) + 4) if length is None else length) + rest


def folder(name):
    return header(name, b"0", b"2")


def plain(name, data):
    return header(name, b"%x" % len(data), b"1") + data


UP = header(b".", b"0", b"3")
peer = files.Peer(listener)
LONG = b"A" * 300


def plant():
    """A link where the next record of the stream wants to write."""
    for name in os.listdir(save):
        if name.startswith("race") and name.endswith(".part"):
            os.symlink("../../secret/key", os.path.join(save, name, "target"))
            os.symlink("../../secret", os.path.join(save, name, "sub"))


# Names that an offer may not have, or may have in another form: (bytes, what may appear for it).
NAMES = [
    (b"../../evil", "evil"), (b"/etc/evil", "evil"), (b"..\\evil", "evil"), (b"a/../../evil", "evil"),
    (b"C::\\evil", "evil"), (b"..", None), (b".", None), (b"/", None), (b"a/..", None),
    (b"evil\x01", None), (b"evil\x1b[2J", None), (b"evil\n", None), (b"evil\x7f", None),
    (b"CON", None), (b"nul.txt", None), (b"com1.tar.gz", None), (b"LPT9", None), (b"evil.", None),
    (b"evil ", None), (b"A" * 800, None), (b"planted", "planted (2)"), (b"key", "key (2)"),
]

# Entries of an offer that make no sense.
ENTRIES = [
    b"0:e1:-1:6a52e280:1:\a", b"0:e2:10000000000000000:6a52e280:1:\a",
    b"0:e3:8000000000000000:6a52e280:1:\a", b"0:e4:5:6a52e280:4:\a", b"0:e5\a", b"\a\a\a\a",
    b"99999999999999999999999:e6:5:6a52e280:1:\a", b"::::::::\a", b"0:e7:5:6a52e280:zz:\a",
    b"0:" + b":" * 5000 + b"\a", b"0:e8:7fffffffffffffff:6a52e280:1:\a",
]

# Streams that answer the offer of a folder: (name of the folder, what is sent).
STREAMS = [
    (b"s01", [folder(b"s01"), folder(b".."), plain(b"evil", b"boom"), UP, UP]),
    (b"s02", [folder(b"s02"), plain(b"../evil", b"boom"), UP]),
    (b"s03", [folder(b"s03"), plain(b"/tmp/evil", b"boom"), UP]),
    (b"s04", [folder(b"s04"), plain(b"a\\..\\evil", b"boom"), UP]),
    (b"s05", [folder(b"s05"), plain(b".", b"boom"), UP]),
    (b"s06", [folder(b"s06"), plain(b"ev\0il", b"boom"), UP]),
    (b"s07", [folder(b"s07"), plain(b"evil\x1b]0;x\a", b"boom"), UP]),
    (b"s08", [folder(b"s08"), plain(b"aux", b"boom"), UP]),
    (b"s09", [folder(b"s09"), folder(b"a/../../b"), UP, UP]),
    (b"s10", [folder(b"s10")] + [folder(b"d")] * 1000),
    (b"s11", [UP, UP, UP]),
    (b"s12", [folder(b"s12"), UP, UP, UP, plain(b"evil", b"boom")]),
    (b"s13", [header(b"s13", b"0", b"2", b"ffff")]),
    (b"s14", [header(b"s14", b"0", b"2", b"0001")]),
    (b"s15", [header(b"s15", b"0", b"2", b"-001")]),
    (b"s16", [folder(b"s16"), header(b"x", b"-1", b"1"), UP]),
    (b"s17", [folder(b"s17"), header(b"x", b"ffffffffffffffffff", b"1"), UP]),
    (b"s18", [folder(b"s18"), header(b"x", b"8000000000000000", b"1"), UP]),
    (b"s19", [folder(b"s19"), header(b"x", b"7fffffffffffffff", b"1"), b"y" * 100000]),
    (b"s20", [b"\0" * 20000]),
    (b"s21", [b"GET / HTTP/1.1\r\n\r\n" * 1000]),
    (b"s22", [folder(b"s22"), plain(b"half", b"z" * 10)[:-5]]),
    (b"s23", itertools.chain([folder(b"s23")], (b"".join(
        plain(b"e%d" % i, b"") for i in range(k, k + 1000)) for k in range(0, 1000000, 1000)), [UP])),
    (b"s24", [folder(b"s24"), header(b"big", b"3ffffff", b"1")] + [b"y" * (1 << 20)] * 64 +
     [header(b"big2", b"3ffffff", b"1")] + [b"y" * (1 << 20)] * 64),
    (b"race", [folder(b"race"), plain(b"first", b"1"), 0.3, plant, plain(b"target", b"2"),
               folder(b"sub"), plain(b"in", b"3"), UP, UP]),
    (b"s26", [folder(b"s26"), header(b"lnk", b"0", b"4"), header(b"dev", b"0", b"5"),
              header(b"lnk2", b"5", b"4") + b"/etc/", UP]),
    (b"s27", [folder(b"s27"), plain(b"same", b"1"), plain(b"same", b"2"), plain(b"SAME", b"3"),
              folder(b"same"), UP, UP]),
    (b"s28", [plain(b"file-for-folder", b"boom")]),
    (b"s29", []),
    (b"s30", [folder(b"s30"), header(LONG * 13, b"0", b"1"), UP]),
    (b"s31", [folder(b"s31"), header(b"", b"0", b"1"), UP]),
    (b"s32", [folder(b"../../s32"), plain(b"in", b"1"), UP]),
    (b"s33", itertools.chain([folder(b"s33")], itertools.repeat(folder(b"d") + UP))),
    (b"s34", itertools.chain([folder(b"s34")], (plain(b"f%d" % i, b"y" * 60000)
                                                for i in itertools.count()))),
    (b"s35", itertools.chain([folder(b"s35")], itertools.repeat(header(b"lnk", b"0", b"4") * 100))),
    (b"s36", [folder(b"s36"), header(b"x", b"0", b"1", b"00000012")]),
    (b"s37", [folder(b"s37"), header(b"x", b"0", b"1", b"zzzz"), UP]),
    (b"s38", [folder(b"s38"), b"ffff:" + b"n" * 70000]),
    (b"s39", [folder(b"s39"), plain("\u202e..".encode(), b"boom"), UP]),
    (b"s40", [folder(b"s40"), plain(b"\xff\xfe\xfd", b"boom"), UP]),
    (b"s41", [folder(b"s41"), plain(b"\xc0\xae\xc0\xae/evil", b"boom"), UP]),
]


def outside():
    return {k: v[:2] for k, v in files.tree(around).items()
            if not k.startswith("save/") and k != "save"}


def memory():
    with open(f"/proc/{listener.process.pid}/status", encoding="ascii") as status:
        return [int(x.split()[1]) for x in status if x.startswith("VmRSS")][0]


before, kept = outside(), {}
assert peer.is_alive()
start = memory()

with step(f"{len(NAMES)} offered names are refused or made harmless"):
    for name, becomes in NAMES:
        at = listener.at
        peer.offer(b"0:" + name + b":5:6a52e280:1:\a", [b"hello"])
        if becomes is None:
            assert peer.is_alive()
            listener.expect(said=lambda s: s and "no safe name" in s)
        else:
            listener.expect(type="transfer", status="done",
                            path=lambda p, b=becomes: p.startswith(f"{save}/{b.split()[0]}"))
    made = {k for k in files.tree(save) if k not in ("planted", "key")}
    assert all(k.split(" ")[0] in ("evil", "planted", "key") for k in made), made
    assert outside() == before

with step(f"{len(ENTRIES)} entries without sense make no file"):
    listed = files.tree(save)
    for entry in ENTRIES:
        listener.at = len(listener.events)
        peer.offer(entry, [b"hello"])
        assert peer.is_alive()
        if entry.startswith(b"0:e8"):
            listener.expect(type="transfer", status="refused", name="e8")
        elif entry.strip(b":\a"):
            print("   ", entry[:60])
            listener.expect(said=lambda s: s and "make no sense" in s)
    assert files.tree(save) == listed and outside() == before

with step(f"{len(STREAMS)} hostile folder streams"):
    print(f"    {len(NAMES)} names, {len(ENTRIES)} entries, {len(STREAMS)} streams, 4 files, "
          "11 requests")
    for name, answer in STREAMS:
        begin = memory()
        peer.offer(b"7:" + name + b":0:6a52e280:2:\a", answer)
        good = name in (b"race", b"s12", b"s26", b"s27", b"s40")
        end = listener.expect(type="transfer", name=name.decode(),
                              status=lambda s: s in ("done", "failed"))
        assert (end["status"] == "done") == good, end
        assert good or end["error"], end
        assert peer.is_alive()
        assert outside() == before, name
        assert memory() - begin < (64 if "asan" in lab.COO else 4) * 1024, (name, memory(), begin)
    inside = files.tree(save)
    assert inside["race/target"] == ("link", "../../secret/key", 0)
    assert inside["race/target (2)"][0] == "file" and inside["race/sub (2)/in"][0] == "file"
    assert not any("evil" in k and k.split("/")[0] not in ("evil",) and "evil (" not in k
                   for k in inside), inside
    assert sorted(k for k in inside if k.startswith("s27/")) == \
        ["s27/SAME", "s27/same", "s27/same (2)", "s27/same (3)"]
    assert not any(k.startswith("s26/") for k in inside)

with step("a file that ends early, runs on, or drips keeps within what was offered"):
    peer.offer(b"0:short:64:6a52e280:1:\a", [b"only this"])
    listener.expect(type="transfer", status="failed", name="short")
    peer.offer(b"0:over:4:6a52e280:1:\a", [b"1234" + b"5" * 100000])
    got = listener.expect(type="transfer", status="done", name="over")
    assert os.path.getsize(got["path"]) == 4
    peer.offer(b"0:unknown:ffffffffffffffff:6a52e280:1:\a", [b"x" * 70000] * 1000)
    end = listener.expect(type="transfer", status="failed", name="unknown")
    assert "larger" in end["error"], end
    peer.offer(b"0:drip:1000000:6a52e280:1:\a", [b"x", 0.1] * 20)
    listener.expect(type="transfer", status="failed", name="drip")
    assert peer.is_alive() and outside() == before

path = files.write(place.dir("in"), "good", 1000)
with step("memory stays flat, and everything harmless still works"):
    assert peer.is_alive()
    grown = memory() - start
    print(f"    grown by {grown} KiB")
    # the address sanitizer keeps what was freed
    assert grown < (128 if "asan" in lab.COO else 16) * 1024, grown
    assert files.coo(place, "send", listener.target, "-f", path)[0] == 0
    assert files.sha256(os.path.join(save, "good")) == files.sha256(path)
    assert listener.stop() == 0

with step("who serves files refuses what it did not offer, and to whom it did not"):
    silent = files.Listener(place)
    other = files.write(place.dir("in"), "other", 10)
    sender = lab.Coo(None, "send", "--json", "-v", silent.target, "-f", path, "-f", other,
                     env=place.env)
    message = silent.expect(type="message")
    at, number = ("127.0.0.1", message["peer"]["port"]), int(message["packet_no"])

    def ask(body, source="127.0.0.1"):
        with socket.create_connection(at, lab.WAIT, (source, 0)) as s:
            s.sendall(body)
            got = b""
            while block := s.recv(65536):
                got += block
            return got

    def request(no, what, command=0x60):
        return b"1:5:me:here:%d:%x:%s\0" % (command, no, what)

    for body in (request(number + 1, b"0:0:"), request(number, b"2:0:"), request(number, b"x:0:"),
                 request(number, b"0:7fffffffffffffff:"), request(number, b"0:0:", 0x20),
                 request(number, b"0:-1:"), b":" * 3000, b"\0" * 3000,
                 b"1:5:me:here:%d:" % 0x60 + b"1" * 3000):
        try:
            assert ask(body) == b"", body[:60]
        except ConnectionResetError:
            pass
    assert ask(request(number, b"0:0:"), "127.0.0.2") == b""
    with open(path, "rb") as f:
        data = f.read()
    assert ask(request(number, b"0:3e0:")) == data[0x3e0:]
    assert ask(b"1:5:me:here:96:%d:0:" % number) == data, "decimal, without an end"
    assert len(ask(request(number, b"1:0:"))) == 10
    sender.expect(type="transfer", status="refused")
    assert sender.process.wait(lab.WAIT) == 0
    silent.stop()

place.close()
step.done()
