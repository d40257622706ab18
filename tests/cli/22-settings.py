#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where settings come from: flag, then environment, then configuration file, then default."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import cli  # noqa: E402

step = cli.Steps()
peer = cli.Peer()
CONFIG = "config/coo/config"


def sent(*options, more=None):
    run = cli.coo("send", *options, peer.target, "x", more=more)
    assert run.code == 0 and run.err == "", run
    return peer.of(cli.SENDMSG)[-1]


def wrong(text, line, says, *words):
    where = cli.write(CONFIG, text)
    words = words or ("send", peer.target, "x")
    run = cli.coo(*words)
    cli.check(run, 2, "", re.compile(f"coo: {re.escape(where)}:{line}: {re.escape(says)}.*\n"))


with step("flag > environment > file > default"):
    default = sent().user
    assert default
    cli.write(CONFIG, "# who I am\nuser = file\nhost=filehost  ; a comment\n")
    assert (sent().user, sent().host) == (b"file", b"filehost")
    assert sent(more={"COO_USER": "environment"}).user == b"environment"
    assert sent("--user", "flag", more={"COO_USER": "environment"}).user == b"flag"
    assert sent("--user=flag").host == b"filehost"
    assert sent(more={"COO_USER": ""}).user == b"file", "an empty variable says nothing"

with step("a section is for its command alone"):
    cli.write(CONFIG, "user = all\n[send]\nutf8 = yes\nretries = 2\n[listen]\ncount = 3\n")
    p = sent("--charset", "auto")
    assert p.user == b"all" and p.command & cli.UTF8
    silent = cli.Peer(silent=True)
    run = cli.coo("send", "-w", "100ms", silent.target, "x")
    cli.check(run, 1, f"{silent.target}: no answer after 2 attempts\n", "")
    cli.write(CONFIG, "[listen]\ncount = 1\n")
    listen = cli.Listen("--json")
    peer.send(cli.message(1, "x"), listen)
    assert listen.ended().code == 0

with step("COO_CONFIG names another file; without HOME there is none"):
    other = cli.write("elsewhere", "user = elsewhere\n")
    assert sent(more={"COO_CONFIG": other}).user == b"elsewhere"
    cli.write(".config/coo/config", "user = dot\n")
    assert sent(more={"XDG_CONFIG_HOME": None}).user == b"dot"
    nowhere = {"HOME": None, "XDG_CONFIG_HOME": None, "XDG_STATE_HOME": None}
    assert sent(more=nowhere).user == default

with step("what is wrong in the file is named with file and line: exit code 2"):
    wrong("user = u\nnick = n\nnickname = n\n", 3, 'unknown key "nickname"')
    wrong("\n# c\nport = 99999\n", 3, 'port cannot be "99999": it has to be between 0 and 65535')
    wrong("[send]\nwait = 5\n", 2, 'wait cannot be "5": a duration has a unit')
    wrong("[listen]\ncount = x\n", 2, 'count cannot be "x": it is not a whole number')
    wrong("[sned]\nwait = 5s\n", 2, 'there is no command "sned"')
    wrong("[send]\njson = perhaps\n", 2, 'json cannot be "perhaps": it has to be yes or no')
    wrong("what is this\n", 1, 'not a "key = value"')
    wrong("user = u\n[send\n", 2, 'not a "key = value"')
    wrong("color = red\n", 1, 'color cannot be "red": it has to be one of auto always never')
    wrong("[send]\ncount = 1\n", 2, 'unknown key "count"')
    wrong("verbose = 1\n", 1, 'unknown key "verbose"')
    wrong("nonsense = 1\n", 1, 'unknown key "nonsense"', "listen", "-t", "10ms")

with step("a file that cannot be read is an error, a missing one is none"):
    os.remove(cli.path(CONFIG))
    assert sent().user == default
    os.mkdir(cli.path(CONFIG))
    run = cli.coo("send", peer.target, "x")
    assert run.code == 2 and cli.path(CONFIG) in run.err, run
    os.rmdir(cli.path(CONFIG))

with step("what is wrong in the environment is named: exit code 2"):
    for name, value, says in (("COO_PORT", "x", "it is not a whole number"),
                              ("COO_COMPAT", "icq", "one of auto feiq ipmsg iptux"),
                              ("COO_JSON", "perhaps", "it has to be yes or no")):
        run = cli.coo("send", peer.target, "x", more={name: value})
        cli.check(run, 2, "", re.compile(
            f'coo: the environment variable {name} cannot be "{value}": .*{says}.*\n'))

with step("COO_JSON=1, lists and a charset from the file"):
    assert cli.objects(cli.coo("send", peer.target, "x", more={"COO_JSON": "1"}))
    cli.write(CONFIG, "charset = cp932\ninterface = nosuch0\ninterface = nosuch1\n")
    run = cli.coo("send", peer.target, "x")
    cli.check(run, 2, "", 'coo: there is no interface "nosuch0"; "ip link" lists them\n')
    assert sent("-I", "lo").ext == b"x\0", "a list on the command line replaces the file's"
    cli.write(CONFIG, "charset = cp932\n")
    assert cli.coo("send", peer.target, "日本").code == 0
    assert peer.of(cli.SENDMSG)[-1].ext == "日本".encode("cp932") + b"\0"
    cli.write(CONFIG, "charset = klingon\n")
    run = cli.coo("send", peer.target, "x")
    assert run.code == 2 and 'the charset "klingon" is not known here' in run.err

with step("--color and NO_COLOR decide about colour; a pipe gets none"):
    cli.write(CONFIG, "")
    for options, more, colored in (([], {}, False), (["--color", "always"], {}, True),
                                   (["--color=always"], {"NO_COLOR": "1"}, True),
                                   (["--color", "never"], {}, False)):
        listen = cli.Listen("-c", "1", *options, more=more)
        peer.send(cli.message(1, "x"), listen)
        assert ("\033[1m" in listen.ended().out) == colored, options

cli.done(step)
