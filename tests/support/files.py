# SPDX-License-Identifier: MIT
"""Files and folders for the tests that move them, over the loopback interface."""
import hashlib
import os
import random
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402


class Place:
    """A directory of its own, with a state directory, that goes with the process."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="coo-files-")
        self.env = {"COO_STATE_DIR": self.dir("state"), "XDG_RUNTIME_DIR": self.dir("run")}

    def dir(self, name):
        path = os.path.join(self.path, name)
        os.makedirs(path, exist_ok=True)
        return path

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


def write(folder, name, size, seed=0):
    """A file of reproducible bytes; gives its path."""
    path = os.path.join(folder, name)
    rng = random.Random(f"{name} {seed}")
    with open(path, "wb") as f:
        while size > 0:
            n = min(size, 1 << 20)
            f.write(rng.randbytes(n))
            size -= n
    os.utime(path, (1783728000, 1783728000 + seed))
    return path


def write_sparse(folder, name, size):
    """A file of size bytes that takes no room: zeros, some bytes in the middle, one at the end."""
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.seek(size // 2)
        f.write(b"middle of " + name.encode())
        f.seek(size - 1)
        f.write(b"x")
    os.utime(path, (1783728000, 1783728001))
    return path


def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def tree(path):
    """Everything beneath path: {relative name: (kind, contents or target, seconds)}."""
    found = {}
    for root, folders, names in os.walk(path):
        for name in folders + names:
            full = os.path.join(root, name)
            key = os.path.relpath(full, path)
            stat = os.lstat(full)
            if os.path.islink(full):
                found[key] = ("link", os.readlink(full), 0)
            elif os.path.isdir(full):
                found[key] = ("dir", None, int(stat.st_mtime))
            else:
                found[key] = ("file", sha256(full), int(stat.st_mtime))
    return found


class Listener(lab.Coo):
    """coo listen on a port of its own; its address is self.at."""

    def __init__(self, place, *args):
        super().__init__(None, "listen", "--json", "-b", "127.0.0.1", "-p", "0", "--no-announce",
                         *args, env=place.env)
        self.rewind()
        self.at_port = self.expect(type="start")["port"]
        self.target = f"127.0.0.1:{self.at_port}"


def coo(place, *args, wait=60):
    """Runs coo to its end in this place; gives (exit code, stdout, stderr)."""
    os.environ.update(place.env)
    return lab.coo(None, *args, wait=wait)
