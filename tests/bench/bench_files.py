#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files from coo to coo on loopback against bare loops in the same run: "name value unit" lines.

COO_BENCH_MIB (1024) is the size of the large file, COO_BENCH_RUNS (3) how often each is measured,
COO_BENCH_DIR where the files go (/dev/shm where there is room, for the disk is not what is measured).
"""
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

MIB = int(os.environ.get("COO_BENCH_MIB", "1024"))
RUNS = int(os.environ.get("COO_BENCH_RUNS", "3"))
SIZE = MIB << 20


def pick_dir():
    if "COO_BENCH_DIR" in os.environ:
        return os.environ["COO_BENCH_DIR"]
    try:
        if shutil.disk_usage("/dev/shm").free > 4 * SIZE:
            return "/dev/shm"
    except OSError:
        pass
    return "/tmp"


os.environ["TMPDIR"] = pick_dir()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
quiet = {**os.environ, **place.env}


def report(name, value, unit):
    print(f"{name} {value:.4g} {unit}", flush=True)


def empty_target():
    shutil.rmtree(target)
    os.makedirs(target)


class Quiet:
    """coo listen whose output is not looked at, but for its port."""

    def __init__(self, folder, addr):
        self.process = subprocess.Popen(
            [lab.COO, "listen", "--json", "-b", addr, "-p", "0", "--no-announce",
             "--accept", "all", "--save-dir", folder, "--min-free", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=quiet)
        port = self.process.stdout.readline().split(b'"port":')[1].rstrip(b"}\n").decode()
        self.target = f"{addr}:{port}"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def end(self):
        """Gives (seconds of processor time, MiB of memory at most)."""
        peak = peak_of(self.process)
        self.process.terminate()
        _, _, usage = os.wait4(self.process.pid, 0)
        return usage.ru_utime + usage.ru_stime, peak


def peak_of(process):
    """MiB of memory that a running process took at most so far; 0 once it has ended."""
    try:
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            return max((int(x.split()[1]) / 1024 for x in status if x.startswith("VmHWM")),
                       default=0)
    except OSError:
        return 0


def with_coo(path, folders):
    """Seconds until everything is there and the sender knows; processor seconds and MiB of both."""
    # each on an address of its own: one address may have only so many connections
    listeners = [Quiet(f, f"127.0.1.{i + 1}") for i, f in enumerate(folders)]
    begin = time.monotonic()
    sender = subprocess.Popen([lab.COO, "send", "-q", "--offer-wait", "60s",
                               *[x.target for x in listeners], "-f", path],
                              stdout=subprocess.DEVNULL, env=quiet)
    peak, pid = 0, 0
    while not pid:
        time.sleep(0.01)
        peak = max(peak, peak_of(sender))
        pid, status, usage = os.wait4(sender.pid, os.WNOHANG)
    took = time.monotonic() - begin
    assert os.waitstatus_to_exitcode(status) == 0, "not everything was fetched"
    ends = [x.end() for x in listeners]
    return (took, usage.ru_utime + usage.ru_stime + sum(e[0] for e in ends),
            max([peak] + [e[1] for e in ends]))


def bare(path):
    """sendfile to recv and write, 1 MiB at a time, one process each."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    begin = time.monotonic()
    pid = os.fork()
    if pid == 0:
        with socket.create_connection(server.getsockname()) as s, open(path, "rb") as f:
            at = 0
            while at < SIZE:
                at += os.sendfile(s.fileno(), f.fileno(), at, 1 << 20)
        os._exit(0)
    s, _ = server.accept()
    block = memoryview(bytearray(1 << 20))
    with open(os.path.join(target, "bare"), "wb", buffering=0) as f:
        while n := s.recv_into(block):
            f.write(block[:n])
        os.fsync(f.fileno())
    os.waitpid(pid, 0)
    return time.monotonic() - begin


def with_tar(folder):
    """tar | socat → socat | tar."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    receiver = subprocess.Popen(
        f"socat -u TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr - | tar -xf - -C {target}",
        shell=True)
    while f":{port:04X} ".lower() not in open("/proc/net/tcp", encoding="ascii").read().lower():
        time.sleep(0.001)
    begin = time.monotonic()
    subprocess.run(f"tar -cf - -C {source} {folder} | socat -u - TCP:127.0.0.1:{port}", shell=True,
                   check=True)
    receiver.wait()
    subprocess.run(["sync", "-f", target], check=True)
    return time.monotonic() - begin


large = files.write(source, "large", SIZE)
one = {"coo": [], "bare": [], "cpu": [], "rss": []}
for _ in range(RUNS):
    empty_target()
    one["bare"].append(bare(large))
    empty_target()
    took, cpu, rss = with_coo(large, [target])
    one["coo"].append(took)
    one["cpu"].append(cpu)
    one["rss"].append(rss)
coo, base = statistics.median(one["coo"]), statistics.median(one["bare"])
report("files_large_coo", MIB / coo, "MiB/s")
report("files_large_bare", MIB / base, "MiB/s")
report("files_large_ratio", base / coo, "of_bare_sendfile_recv")
report("files_large_cpu", statistics.median(one["cpu"]) * 1024 / MIB, "s/GiB")
report("files_large_rss", max(one["rss"]), "MiB")

many = os.path.join(source, "many")
os.makedirs(many)
for i in range(10000):
    files.write(many, f"file-{i}", 4096)
tree = {"coo": [], "tar": []}
for _ in range(RUNS):
    empty_target()
    if shutil.which("socat"):
        tree["tar"].append(with_tar("many"))
    empty_target()
    tree["coo"].append(with_coo(many, [target])[0])
coo = statistics.median(tree["coo"])
report("files_10000_coo", 10000 / coo, "files/s")
if tree["tar"]:
    report("files_10000_ratio", statistics.median(tree["tar"]) / coo, "of_tar_socat_tar")

part = files.write(source, "part", 64 << 20)
empty_target()
alone = statistics.median(with_coo(part, [place.dir("out/a")])[0] for _ in range(3))
empty_target()
took = with_coo(part, [place.dir(f"out/{i}") for i in range(20)])[0]
report("files_20_peers_rate", 20 * 64 / took, "MiB/s")
report("files_20_peers_ratio", 20 * alone / took, "of_one_peer")


def message_latency():
    """Milliseconds from a message to its receipt, again and again while eight files come in."""
    empty_target()
    eight = [files.write(source, f"eight-{i}", 64 << 20) for i in range(8)]
    listener = Quiet(target, "127.0.1.1")
    host, port = listener.target.split(":")
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.settimeout(5)
    sender = subprocess.Popen([lab.COO, "send", "-q", "--offer-wait", "60s", listener.target,
                               *[a for p in eight for a in ("-f", p)]],
                              stdout=subprocess.DEVNULL, env=quiet)
    took = []
    number = int(time.time())
    while sender.poll() is None:
        number += 1
        begin = time.monotonic()
        udp.sendto(b"1:%d:bench:here:288:ping\0" % number, (host, int(port)))
        udp.recv(4096)
        took.append((time.monotonic() - begin) * 1000)
        time.sleep(0.002)
    listener.end()
    assert sender.returncode == 0
    return sorted(took)


latency = message_latency()
report("files_message_p50", latency[len(latency) // 2], "ms")
report("files_message_p99", latency[len(latency) * 99 // 100], "ms")
report("files_message_max", latency[-1], "ms")
place.close()
