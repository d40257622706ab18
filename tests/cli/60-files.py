#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files and folders from coo to coo, on loopback: what is offered arrives bit by bit, with its name
and time, or the exit code says that it did not. COO_TEST_LARGE=1 adds files of 2 and 4 GiB."""
import datetime
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
NAMES = ["空 name with blanks.txt", "a:b", "a::b:", "emoji 😀.png", "n" * 251 + ".txt", "-dash",
         ".hidden"]


def send(listener, paths, *args, wait=60):
    return files.coo(place, "send", "--json", listener.target, *args,
                     *[a for p in paths for a in ("-f", p)], wait=wait)


def same(name, as_name=None):
    a, b = os.path.join(source, name), os.path.join(target, as_name or name)
    assert files.sha256(a) == files.sha256(b), name
    assert int(os.stat(a).st_mtime) == int(os.stat(b).st_mtime), name
    assert os.stat(b).st_mode & 0o111 == 0, oct(os.stat(b).st_mode)


with step("files of 0, 3 and 3,000,000 bytes arrive, and the report is true"):
    listener = files.Listener(place, "--accept", "all", "--save-dir", target)
    for size in (0, 3, 3000000):
        name = f"size-{size}"
        path = files.write(source, name, size)
        code, out, _ = send(listener, [path])
        assert code == 0, code
        sent = [json.loads(x) for x in out.splitlines()]
        assert [e["bytes"] for e in sent if e.get("status") == "done"] == [size], sent
        got = listener.expect(type="transfer", status="done", name=name)
        assert got["bytes"] == size and got["sha256"] == files.sha256(path), got
        assert got["path"] == os.path.join(target, name), got
        same(name)

with step("names with Chinese, blanks, colons, emoji and 255 bytes keep them"):
    paths = [files.write(source, name, 100 + i) for i, name in enumerate(NAMES)]
    code, _, _ = send(listener, paths[:5])
    assert code == 0, code
    assert send(listener, paths[5:], "-m", "two more")[0] == 0
    for name in NAMES:
        same(name)

with step("nothing that exists is replaced"):
    before = files.tree(target)
    assert send(listener, [os.path.join(source, "size-3")])[0] == 0
    same("size-3", "size-3 (2)")
    after = files.tree(target)
    assert {k: after[k] for k in before} == before

with step("a folder of 1,000 files, and one 40 deep"):
    many = os.path.join(source, "many")
    os.makedirs(os.path.join(many, "子目录", "empty"))
    for i in range(1000):
        files.write(many, f"f{i}", i % 97, i)
    deep = os.path.join(source, "deep")
    bottom = os.path.join(deep, *[f"level {i}" for i in range(39)])
    os.makedirs(bottom)
    files.write(bottom, "bottom", 5)
    assert send(listener, [many, deep + "/"])[0] == 0
    for name in ("many", "deep"):
        assert files.tree(os.path.join(source, name)) == files.tree(os.path.join(target, name))

with step("links are left out and said, and followed with -L"):
    linked = os.path.join(source, "linked")
    os.makedirs(linked)
    files.write(linked, "real", 9)
    os.symlink("real", os.path.join(linked, "link"))
    os.symlink(".", os.path.join(linked, "loop"))
    code, out, err = send(listener, [linked])
    assert code == 0 and "link" in err and "symbolic link" in err, err
    assert sorted(files.tree(os.path.join(target, "linked"))) == ["real"]
    code, _, err = send(listener, [linked], "-L")
    assert code == 0, code
    assert sorted(files.tree(os.path.join(target, "linked (2)"))) == ["link", "real"]
    assert "loop" in err, err
    code, _, err = send(listener, [os.path.join(linked, "link")])
    assert code == 5 and "-L" in err, (code, err)

with step("options that would do nothing are refused"):
    for words, says in ((["send", "-L", "127.0.0.1:9", "x"], "-f names them"),
                        (["send", "--offer-wait", "3s", "127.0.0.1:9", "x"], "-f names them"),
                        (["send", "--split", "-f", source, "127.0.0.1:9", "x"], "--split"),
                        (["listen", "-d", source], "--accept says whose"),
                        (["listen", "--max-file", "1k"], "--accept says whose")):
        code, _, err = files.coo(place, *words)
        assert code == 2 and says in err, (words, code, err)

with step("what cannot be offered is said"):
    assert files.coo(place, "send", "127.0.0.1:bad", "x", "-f", source)[0] == 2
    code, _, err = files.coo(place, "send", "127.0.0.1:9", "-f", "/")
    assert code == 5 and "it has no name" in err, (code, err)
    code, _, err = send(listener, [os.path.join(source, "missing")])
    assert code == 4 and "missing" in err, (code, err)
    listener.stop()

with step("limits refuse, and the sender hears it"):
    listener = files.Listener(place, "--accept", "all", "--save-dir", target, "--max-file", "1k")
    code, _, err = send(listener, [os.path.join(source, "size-3000000")])
    assert code == 1 and "does not want" in err, (code, err)
    listener.expect(type="transfer", status="refused")
    assert send(listener, [os.path.join(source, n) for n in ("size-3", "size-3000000")])[0] == 1
    listener.expect(type="transfer", status="refused", name="size-3000000")
    listener.stop()

with step("what nobody fetches in time is exit code 1; part of the targets is 3"):
    never = files.Listener(place)
    path = os.path.join(source, "size-3")
    assert send(never, [path], "--offer-wait", "300ms")[0] == 1
    offer = never.expect(type="message")["files"]
    mtime = datetime.datetime.fromisoformat(offer[0].pop("mtime")).timestamp()
    assert mtime == 1783728000, mtime
    assert offer == [{"id": 0, "name": "size-3", "size": 3, "kind": "file"}]
    yes = files.Listener(place, "--accept", "all", "--save-dir", target)
    assert send(never, [path], yes.target, "--offer-wait", "1s")[0] == 3
    yes.stop()

with step("coo get lists what was offered and fetches it"):
    sender = lab.Coo(None, "send", "--json", never.target, "-f",
                     os.path.join(source, "size-3000000"), env=place.env)
    message = never.expect(type="message",
                           files=lambda f: f and f[0]["name"] == "size-3000000")
    peer, number = message["peer"], message["packet_no"]
    code, out, _ = files.coo(place, "get", "--json")
    listed = [json.loads(x) for x in out.splitlines()]
    assert code == 0 and any(e.get("packet_no") == number for e in listed), listed
    fetched = place.dir("get")
    code, out, _ = files.coo(place, "get", f"127.0.0.1:{peer['port']}", number, "-d", fetched)
    assert code == 0 and "sha256" in out, (code, out)
    assert files.sha256(os.path.join(fetched, "size-3000000")) == \
        files.sha256(os.path.join(source, "size-3000000"))
    assert sender.process.wait(lab.WAIT) == 0
    sender = lab.Coo(None, "send", "--json", never.target, "-f", os.path.join(source, "size-3000000"), env=place.env)
    number = never.expect(type="message")["packet_no"]
    for limit, want in (("1k", 5), ("4m", 0)):  # a limit that was too low costs nothing but the try
        code, out, _ = files.coo(place, "get", "127.0.0.1", number, "-d", fetched, "--max-file", limit)
        assert code == want, (limit, code, out)
    assert sender.process.wait(lab.WAIT) == 0
    assert files.coo(place, "get", "127.0.0.1", "1")[0] == 1
    assert files.coo(place, "get", "nonsense", "1")[0] == 2
    never.stop()

with step("one file to six listeners at once"):
    listeners = [files.Listener(place, "--accept", "all", "--save-dir", place.dir(f"to{i}"))
                 for i in range(6)]
    path = os.path.join(source, "size-3000000")
    code, out, _ = files.coo(place, "send", "--json", *[x.target for x in listeners], "-f", path)
    done = [e for e in map(json.loads, out.splitlines()) if e.get("status") == "done"]
    assert code == 0 and len(done) == 6, (code, done)
    for i, x in enumerate(listeners):
        assert files.sha256(place.dir(f"to{i}") + "/size-3000000") == files.sha256(path)
        x.stop()

if os.environ.get("COO_TEST_LARGE"):
    with step("sparse files of 2 GiB + 1 and 4 GiB + 1"):
        listener = files.Listener(place, "--accept", "all", "--save-dir", target)
        for size in ((2 << 30) + 1, (4 << 30) + 1):
            path = files.write_sparse(source, f"sparse-{size}", size)
            assert send(listener, [path], wait=600)[0] == 0
            same(f"sparse-{size}")
            os.remove(os.path.join(target, f"sparse-{size}"))
        listener.stop()

place.close()
step.done()
