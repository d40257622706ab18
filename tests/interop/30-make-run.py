#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
""""make run" on a host of the lab: it says what to do next, and a real iptux sees the newcomer."""
import contextlib
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(2, needs_iptux=True)
step = lab.Steps()
# A build of its own: the program under test is not to change while other tests use it.
make_run = ["env", "-u", "COO", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", "run",
            f"B={os.path.relpath(lab.BUILD, lab.ROOT)}/make-run", "CFLAGS=-O1"]


def end_coo():
    """Ctrl-C reaches make too; a SIGTERM for coo alone shows that make run ends well by itself."""
    program = os.path.join(lab.BUILD, "make-run/coo")
    for pid in filter(str.isdigit, os.listdir("/proc")):  # those of the lab
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/exe") == program:
                os.kill(int(pid), signal.SIGTERM)


with step("a real iptux sees who ran make run, and a message to it is shown"):
    iptux = lab.Iptux("h2", "阿B")
    run = lab.Program("h1", *make_run)
    run.expect(said=lambda s: s and "Its own address is 10.77.0.1" in s, wait=100)
    iptux.expect(event="up", ip="10.77.0.1")
    iptux.tell("msg 10.77.0.1 欢迎")
    run.expect(said=lambda s: s and "欢迎" in s)
    end_coo()
    assert run.process.wait(lab.WAIT) == 0
    iptux.expect(event="down", ip="10.77.0.1")

with step("without a network it says so and listens on loopback"):
    subprocess.run(["ip", "-n", "h1", "link", "set", "eth0", "down"], check=True)
    run = lab.Program("h1", *make_run, "ARGS=--json")
    run.expect(said=lambda s: s and "No usable network" in s)
    start = run.expect(type="start")
    assert start["addr"] == "127.0.0.1", start
    assert lab.coo("h1", "send", "127.0.0.1", "to myself")[0] == 0
    run.expect(type="message", text="to myself")
    end_coo()
    assert run.process.wait(lab.WAIT) == 0

step.done()
