#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""help and version: what they print, and that they touch no file and no socket."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import cli  # noqa: E402

step = cli.Steps()
with open(os.path.join(cli.ROOT, "src/base/version.h"), encoding="utf-8") as f:
    VERSION = re.search(r'COO_VERSION "(.*)"', f.read())[1]
COMMANDS = cli.coo("help", "--list").out.split()

with step("version, --version and -V print one line"):
    for words in (["version"], ["--version"], ["-V"]):
        cli.check(cli.coo(*words), 0, f"coo {VERSION}\n", "")
    event, = cli.objects(cli.coo("version", "--json"))
    assert event["type"] == "version" and event["version"] == VERSION
    cli.check(cli.coo("version", "now"), 2, "", re.compile("coo: .*no arguments\n"))

with step("help lists every command, and each shows its own page"):
    every = cli.coo("help")
    assert "send" in COMMANDS and "listen" in COMMANDS
    for words in (["--help"], ["-h"]):
        cli.check(cli.coo(*words), 0, every.out, "")
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\S", every.out, re.M), name
        page = cli.coo("help", name)
        cli.check(cli.coo(name, "--help"), 0, page.out, "")
        assert page.out.startswith(f"Usage: coo {name} [OPTIONS]"), page.out
        assert "\nExamples:\n  " in page.out
        assert len(page.out.splitlines()) <= 50, "a page of help is one screen"
        assert max(map(len, page.out.splitlines())) <= 100

with step("a page of help names every option of its command, and the list too"):
    for name in COMMANDS:
        page = cli.coo("help", name).out
        for option in cli.coo("help", "--list", name).out.split():
            if option != "--help":
                assert re.search(rf"(^|[ ,/]){option}\b", page, re.M), (name, option)

with step("no command and a wrong one are usage errors"):
    cli.check(cli.coo(), 2, every.out, "")
    wrong = re.compile('coo: there is no command "sedn"; "coo help" lists them\n')
    cli.check(cli.coo("sedn"), 2, "", wrong)
    cli.check(cli.coo("help", "sedn"), 2, "", wrong)
    cli.check(cli.coo("help", "send", "listen"), 2, "", re.compile("coo: .*\n"))

with step("help and version read no file: a wrong configuration and a closed HOME do not matter"):
    cli.write("config/coo/config", "this is no configuration\n[[[\n")
    closed = cli.path("closed")
    os.makedirs(closed, exist_ok=True)
    os.chmod(closed, 0)
    for more in ({}, {"HOME": closed, "XDG_CONFIG_HOME": None, "XDG_STATE_HOME": None},
                 {"HOME": None, "XDG_CONFIG_HOME": None, "XDG_STATE_HOME": None},
                 {"COO_PORT": "no port", "COO_CONFIG": closed}):
        cli.check(cli.coo("--version", more=more), 0, f"coo {VERSION}\n", "")
        cli.check(cli.coo("--help", more=more), 0, every.out, "")
        for name in COMMANDS:
            cli.check(cli.coo(name, "--help", more=more), 0, None, "")
            assert cli.coo(name, "-h", more=more).code == 0, f"coo {name} -h"
    os.chmod(closed, 0o700)
    os.remove(cli.path("config/coo/config"))
    assert os.listdir(cli.path("state")) == []

with step("what cannot be written is exit code 4"):
    for words in (["help"], ["version"], ["send", "--help"], ["version", "--json"]):
        with open("/dev/full", "wb") as full:
            run = cli.coo(*words, stdout=full)
        cli.check(run, 4, None, re.compile("coo: cannot write the output: No space left.*\n"))
        closed_out = cli.coo(*words, stdout=None, preexec_fn=lambda: os.close(1))
        assert closed_out.code == 4, closed_out

with step("a closed descriptor 0, 1 or 2 is no place for sockets and files"):
    ECHO = ["echo", "-p", "0", "-b", "127.0.0.1", "--duration", "50ms"]
    SEND = ["send", "-p", "0", "-b", "127.0.0.1", "-w", "50ms", "127.0.0.1:9"]
    for closed in ([0], [1], [2], [0, 1], [0, 1, 2]):
        def close(numbers=tuple(closed)):
            for number in numbers:
                os.close(number)
        code = 4 if 1 in closed else 0  # the summary is a result, and went nowhere
        assert cli.coo(*ECHO, preexec_fn=close).code == code, closed
        assert cli.coo(*SEND, "text", preexec_fn=close).code == 1, closed

cli.done(step)
