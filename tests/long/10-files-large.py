#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files beyond 2 and 4 GiB between two hosts, a byte more than either; the memory of both stays small.
It wants 9 GiB of room for a while."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

lab.enter(2)
step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
listen = lab.Coo("h1", "listen", "--json", "--accept", "all", "--save-dir", target,
                 env={"COO_STATE_DIR": place.dir("s1")})
os.environ["COO_STATE_DIR"] = place.dir("s2")


def peak(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(x.split()[1]) / 1024 for x in status if x.startswith("VmHWM"))


def sparse(name, size):
    """A file of that size, mostly holes: a few blocks that tell their place, and its last byte."""
    path = os.path.join(source, name)
    with open(path, "wb") as f:
        for at in (0, (1 << 31) - 8, (1 << 32) - 8, size - 1):
            if at < size:
                f.seek(at)
                f.write((b"%016x" % at)[:size - at])
    os.utime(path, (1783728000, 1783728000))
    return path


for size in ((2 << 30) + 1, (4 << 30) + 1):
    with step(f"{size} bytes"):
        path = sparse(f"大 {size}", size)
        begin = time.monotonic()
        sender = lab.Coo("h2", "send", "--json", "10.77.0.1", "-f", path)
        most = [0]

        def watch(process=sender.process, most=most):
            while process.poll() is None:
                try:
                    most[0] = max(most[0], peak(process.pid))
                except (OSError, StopIteration):
                    pass
                time.sleep(0.05)

        threading.Thread(target=watch, daemon=True).start()
        assert sender.process.wait(600) == 0
        took = time.monotonic() - begin
        done = listen.expect(wait=120, type="transfer", status="done")
        assert done["bytes"] == size and done["name"] == os.path.basename(path), done
        assert [e["bytes"] for e in sender.seen(type="transfer", status="done")] == [size]
        wanted = files.sha256(path)
        assert done["sha256"] == wanted and files.sha256(done["path"]) == wanted, done
        assert int(os.stat(done["path"]).st_mtime) == 1783728000
        memory = max(most[0], peak(listen.process.pid))
        print(f"    {size / took / (1 << 20):.0f} MiB/s, at most {memory:.1f} MiB of memory")
        if "asan" not in lab.COO:
            assert memory < 16, memory
        os.remove(done["path"])
        os.remove(path)

assert listen.stop() == 0
place.close()
step.done()
