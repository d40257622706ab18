#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A disk that is really full, in bytes and in inodes, and hostile offers, on a file system that is small
enough to be listed whole: what was there stays, parts are kept and taken up when there is room again,
the listener goes on."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

lab.enter(1)
step = lab.Steps()
place = files.Place()
source, disk = place.dir("in"), place.dir("disk")
MIB = 1 << 20


def mount(options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", disk], check=True)
    for name in ("save", "beside/secret"):
        os.makedirs(os.path.join(disk, name))
    files.write(os.path.join(disk, "beside"), "a.bin", 5)
    files.write(os.path.join(disk, "beside/secret"), "key", 5)
    os.symlink("../beside/secret/key", os.path.join(disk, "save", "key"))


def unmount():
    subprocess.run(["umount", disk], check=True)


def outside():
    """The whole file system but for what is in the folder: names, bytes, modes, times, links."""
    found = {}
    for root, folders, names in os.walk(disk):
        if root.startswith(save):
            continue
        for name in folders + names:
            full = os.path.join(root, name)
            stat = os.lstat(full)
            data = open(full, "rb").read() if os.path.isfile(full) else None
            found[full] = (data, stat.st_mode, stat.st_ino) + (
                () if full == save else (stat.st_nlink, stat.st_mtime_ns))
    return found


def free():
    v = os.statvfs(disk)
    return v.f_bavail * v.f_frsize


def start(*args):
    return files.Listener(place, "--accept", "all", "--save-dir", save, "--min-free", "0", *args)


def send(*paths, to=None):
    return files.coo(place, "send", "--offer-wait", "2s", (to or listener).target,
                     *[a for p in paths for a in ("-f", p)])


save = os.path.join(disk, "save")
big = files.write(source, "big", 12 * MIB)
small = files.write(source, "small", 1000)
mount("size=8m")

with step("a file that is larger than the disk: the disk fills, the part is kept, the reason is said"):
    before = outside()
    ballast = files.write(save, "ballast", 1 * MIB)
    listener = start()
    peer = files.Peer(listener)
    # the size is not known before, so that only the disk can say no
    peer.offer(b"0:endless:ffffffffffffffff:6a52e280:1:\a", [b"x" * MIB] * 20)
    end = listener.expect(type="transfer", status="failed", name="endless")
    assert "No space left on device" in end["error"] and "is kept in" in end["error"], end
    assert free() == 0 and end["bytes"] > 5 * MIB, (free(), end)
    part = [n for n in os.listdir(save) if n.endswith(".part")]
    assert len(part) == 1 and os.path.getsize(os.path.join(save, part[0])) == end["bytes"], part
    assert outside() == before

with step("on the full disk messages are still acknowledged, files refused, and nothing is left behind"):
    assert peer.is_alive()
    listed = sorted(os.listdir(save))
    code, _, _ = send(small)
    assert code == 1, code
    listener.expect(type="transfer", status="failed", name="small")
    code, _, _ = send(big)
    assert code == 1, code
    failed = listener.expect(type="transfer", status="failed", name="big")
    assert "too little room" in failed["error"] or "No space left" in failed["error"], failed
    assert sorted(os.listdir(save)) == listed, os.listdir(save)
    assert outside() == before

with step("a folder on the full disk: what fits is kept as a part, and there is no whole one"):
    os.remove(os.path.join(save, part[0]))
    os.remove(os.path.join(save, part[0] + ".id"))
    tree = os.path.join(source, "tree")
    os.makedirs(tree)
    for i in range(12):
        files.write(tree, f"f{i}", MIB)
    assert send(tree)[0] == 1
    end = listener.expect(type="transfer", status="failed", name="tree")
    assert "No space left on device" in end["error"] and free() == 0, end
    assert "tree.part" in os.listdir(save) and "tree" not in os.listdir(save)
    assert outside() == before

with step("a part that the full disk ended is taken up when there is room"):
    subprocess.run(["rm", "-r", os.path.join(save, "tree.part")], check=True)
    five = files.write(source, "five", 5 * MIB)
    offer = lab.Coo(None, "send", "--json", "--offer-wait", "30s", "-v",
                    files.Listener(place).target, "-f", five, env=place.env)
    code, out, _ = files.coo(place, "get", "--json")
    number = out.split('"packet_no":"')[-1].split('"')[0]
    # others fill the disk while it is fetched: it looked large enough before
    os.truncate(ballast, 0)
    filler = open(os.path.join(disk, "filler"), "wb")
    os.posix_fallocate(filler.fileno(), 0, free() - 5 * MIB - 65536)
    listener.stop()
    peer = files.Peer(listener)
    assert offer.process.poll() is None
    get = lab.Coo(None, "get", "-d", save, "--min-free", "0", "127.0.0.1", number, env=place.env)
    os.posix_fallocate(filler.fileno(), 0, os.fstat(filler.fileno()).st_size + 3 * MIB)
    get.process.wait(lab.WAIT)
    filler.close()
    os.remove(os.path.join(disk, "filler"))
    if get.process.returncode != 0:
        code, out, _ = files.coo(place, "get", "-d", save, "--min-free", "0", "127.0.0.1", number)
        assert code == 0, code
    assert files.sha256(os.path.join(save, "five")) == files.sha256(five)
    assert offer.process.wait(lab.WAIT) == 0

with step("--min-free stops before the disk is full, and the offer stays to be fetched"):
    unmount()
    mount("size=8m")
    listener = files.Listener(place, "--accept", "all", "--save-dir", save, "--min-free", "6M")
    code, _, err = send(five)
    assert code == 1 and "does not want" not in err, (code, err)
    end = listener.expect(type="transfer", status="failed", name="five")
    assert "too little room" in end["error"] and os.listdir(save) == ["key"], end
    listener.stop()
    unmount()

with step("a million empty files: inodes run out, or --max-entries says no; memory is flat"):
    mount("size=64m,nr_inodes=3000")
    before = outside()
    listener = start("--max-entries", "1000000")
    peer = files.Peer(listener)

    def rss():
        with open(f"/proc/{listener.process.pid}/status", encoding="ascii") as status:
            return next(int(x.split()[1]) for x in status if x.startswith("VmRSS"))

    def million(name):
        yield b"0013:%s:0:2:" % name
        for k in range(0, 1000000, 1000):
            yield b"".join(b"0011:%07d:0:1:" % i for i in range(k, k + 1000))
        yield b"000b:.:0:3:"

    assert peer.is_alive()
    begin = rss()
    peer.offer(b"0:million-1:0:6a52e280:2:\a", million(b"million-1"))
    end = listener.expect(wait=60, type="transfer", status="failed", name="million-1")
    assert "No space left on device" in end["error"] and 2000 < end["files"] < 3000, end
    assert peer.is_alive() and outside() == before
    subprocess.run(["rm", "-r", os.path.join(save, "million-1.part")], check=True)
    assert listener.stop() == 0
    unmount()
    mount("size=512m,nr_inodes=0")
    listener = start()
    peer = files.Peer(listener)
    assert peer.is_alive()
    begin = rss()
    peer.offer(b"0:million-2:0:6a52e280:2:\a", million(b"million-2"))
    end = listener.expect(wait=100, type="transfer", status="failed", name="million-2")
    assert "too many entries" in end["error"] and end["files"] == 99999, end
    print(f"    {rss() - begin} KiB more for {end['files']} files")
    assert rss() - begin < (64 if "asan" in lab.COO else 4) * 1024, (rss(), begin)
    assert peer.is_alive()
    assert listener.stop() == 0
    unmount()

place.close()
step.done()
