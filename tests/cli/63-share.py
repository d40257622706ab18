#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo share and coo fetch: a list, a file, a folder, and nothing else."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
shared, target = place.dir("in/shared"), place.dir("out")
lesson = files.write(shared, "第一课.txt", 5000)
files.write(shared, ".hidden", 5)
secret = files.write(place.dir("in"), "secret", 5)
os.symlink("../secret", os.path.join(shared, "link"))
os.makedirs(os.path.join(shared, "tools"))
files.write(os.path.join(shared, "tools"), "tool", 100)
for i in range(300):
    files.write(shared, f"exercise with a rather long name, number {i}.txt", i)

share = lab.Coo(None, "share", "--json", "-b", "127.0.0.1", "-p", "0", shared, env=place.env)
share.rewind()
at = f"127.0.0.1:{share.expect(type='start')['port']}"


def fetch(*args):
    return files.coo(place, "fetch", "-w", "3s", "-d", target, at, *args)


with step("the list has everything that is shared, in as many messages as it takes"):
    code, out, _ = fetch("--json")
    names = [e["name"] for e in map(json.loads, out.splitlines()) if e["type"] == "shared"]
    assert code == 0 and len(names) == 302 and len(set(names)) == 302, (code, len(names))
    assert "第一课.txt" in names and "tools" in names
    assert "link" not in names and ".hidden" not in names

with step("a file and a folder are fetched by name"):
    assert fetch("第一课.txt")[0] == 0
    assert files.sha256(os.path.join(target, "第一课.txt")) == files.sha256(lesson)
    assert fetch("tools")[0] == 0
    assert files.tree(os.path.join(target, "tools")) == files.tree(os.path.join(shared, "tools"))

with step("what is not in the folder is not had"):
    before = files.tree(target)
    for name in ("secret", "../secret", "link", ".hidden", "tools/tool", "..", "/etc/passwd",
                 "no such file"):
        code, _, err = fetch(name)
        assert code == 1 and "no such file" in err, (name, code, err)
    assert files.tree(target) == before

with step("nobody there, and wrong arguments"):
    code, _, err = files.coo(place, "fetch", "-w", "300ms", "127.0.0.1:9", "x")
    assert code == 1 and "coo share" in err, (code, err)
    assert files.coo(place, "fetch")[0] == 2
    assert files.coo(place, "share")[0] == 2
    assert files.coo(place, "share", "/nonexistent")[0] == 4

with step("Ctrl-C ends it"):
    assert share.stop() == 0

place.close()
step.done()
