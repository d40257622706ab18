#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo echo and coo ping on loopback: options, exit codes, signals, files, a short flood."""
import csv
import html.parser
import io
import json
import os
import pty
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

COO = os.path.abspath(os.environ.get("COO", "build/coo"))
FLOOD_SECONDS = os.environ.get("FLOOD_SECONDS", "5")


class Echo:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [COO, "echo", "-p", "0", "-b", "127.0.0.1", "--json", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.target = f"127.0.0.1:{self.port}"

    def end(self, ask=True):
        if ask:
            self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, err
        return [json.loads(line) for line in out.splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def coo(*args, code=0):
    out = subprocess.run([COO, *args], capture_output=True, text=True, timeout=60, check=False)
    assert out.returncode == code, f"{args}: exit {out.returncode}\n{out.stdout}{out.stderr}"
    return out.stdout, out.stderr


def ping(*args, code=0):
    return [json.loads(line) for line in coo("ping", "--json", *args, code=code)[0].splitlines()]


def exchange(port, *texts):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    answers = []
    for text in texts:
        sock.sendto(text, ("127.0.0.1", port))
        answers.append(sock.recvfrom(70000)[0])
    sock.close()
    return answers


def test_every_size_comes_back():
    with Echo() as e:
        sizes = [0, 1, 27, 28, 1472, 1473, 9000, 65507]
        texts = [os.urandom(n) for n in sizes]
        assert exchange(e.port, *texts) == texts
        end = e.end()[-1]
        assert (end["rx"], end["tx"], end["rx_bytes"]) == (8, 8, sum(sizes))


def test_upper_and_print():
    with Echo("--upper", "--print", "--hex") as e:
        assert exchange(e.port, b"Hello, World 7") == [b"HELLO, WORLD 7"]
        assert exchange(e.port, "你好".encode("gbk"))
        events = [x for x in e.end() if x["type"] == "datagram"]
        assert events[0]["text"] == "Hello, World 7" and events[0]["hex"] == b"Hello, World 7".hex()
        assert events[1]["text"] == "你好" and events[1]["answered"]


def test_what_applies_to_tcp_and_stamp():
    """As coo-echo(1) says it under "What applies to what"."""
    with Echo("--tcp", "--stamp-port", "0", "--upper", "--max-size", "50", "--drop", "1",
              "--count", "3") as e:
        e.process.send_signal(signal.SIGINT)
        err = e.process.communicate(timeout=20)[1]
        assert "do not touch TCP and STAMP" in err, err
    run = subprocess.Popen([COO, "echo", "-p", "0", "-b", "127.0.0.1", "--json", "--tcp", "--stamp-port",
                            "0", "--upper", "--max-size", "50", "--drop", "1", "--count", "9"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    start = json.loads(run.stdout.readline())
    with socket.create_connection(("127.0.0.1", start["port"]), 5) as tcp:
        tcp.sendall(b"hello" * 20)
        got = b""
        while len(got) < 100:
            got += tcp.recv(1000)
        assert got == b"HELLO" * 20, got
    stamp = bytes(12) + b"\x01\x01" + bytes(30)
    for more in [b"", b"abcdef"]:
        assert exchange(start["stamp_port"], stamp + more)[0][44:] == more
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.sendto(stamp + b"sevenof", ("127.0.0.1", start["stamp_port"]))
    assert len(exchange(start["stamp_port"], stamp)[0]) == 44
    assert run.poll() is None
    run.terminate()
    end = json.loads(run.communicate(timeout=20)[0].splitlines()[-1])
    assert end["stamp"]["refused"]["size"] == 1 and end["stamp"]["tx"] == 3, end["stamp"]
    assert end["tcp"]["bytes"] == 100 and end["dropped"] == 0, end


def test_text_is_safe_for_a_terminal():
    server = subprocess.Popen([COO, "echo", "-p", "0", "-b", "127.0.0.1", "--print", "--count", "1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    port = int(re.search(r"port (\d+)", server.stderr.readline())[1])
    exchange(port, b"\x1b[2Jboo\x07")
    out, _ = server.communicate(timeout=20)
    assert "\x1b" not in out and "\x07" not in out and "boo" in out, repr(out)


def unread(*options):
    """An echo whose pipes nobody reads after the first line; gives its process, pipe and port."""
    out, into = os.pipe()
    run = subprocess.Popen([COO, "echo", "-p", "0", "-b", "127.0.0.1", *options], stdout=into,
                           stderr=subprocess.PIPE)
    os.close(into)
    return run, out, int(re.search(rb"port (\d+)", run.stderr.readline())[1])


def test_a_reader_that_stopped_holds_nothing_up():
    texts = [b"%04d" % i + b"x" * 996 for i in range(300)]
    for options in [["--print"], ["--print", "--hex"], ["--print", "--threads", "3", "--stats", "20ms"]]:
        run, pipe, port = unread(*options)
        assert exchange(port, bytes(60000), *texts) == [bytes(60000), *texts], options
        begin = time.monotonic()
        run.terminate()
        err = run.communicate(timeout=20)[1]
        assert time.monotonic() - begin < 1.5, (options, time.monotonic() - begin)
        assert run.returncode == 4 and b"nobody reads the output" in err, (run.returncode, err)
        os.close(pipe)


def test_a_terminal_that_stands_still_holds_nothing_up():
    """Poll says that it has room where a write of more than that blocks; nor is there for words."""
    controller, terminal = pty.openpty()
    run = subprocess.Popen([COO, "echo", "-p", "0", "-b", "127.0.0.1", "--print", "--hex"],
                           stdout=terminal, stderr=terminal)
    os.close(terminal)
    text = b""
    while not re.search(rb"port (\d+) .*\n", text):
        text += os.read(controller, 1000)
    texts = [os.urandom(1000) for _ in range(200)]
    assert exchange(int(re.search(rb"port (\d+)", text)[1]), *texts) == texts
    begin = time.monotonic()
    run.terminate()
    assert run.wait(20) == 4 and time.monotonic() - begin < 1.5
    os.close(controller)


def test_what_was_not_shown_is_counted():
    """A reader that comes back finds whole lines, and how many there are too few."""
    run, pipe, port = unread("--print", "--stats", "10ms")
    texts = [b"%04d" % i + b"x" * 996 for i in range(300)]
    assert exchange(port, *texts) == texts
    run.terminate()
    with open(pipe, encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert run.wait(20) == 0
    shown = [line for line in lines if "1000 bytes: " in line]
    assert 0 < len(shown) < 300 and all(re.search(r": \d{4}x{996}$", line) for line in shown), lines
    last = lines[lines.index(next(x for x in lines if "summary" in x)):]
    assert f"  {300 - len(shown)} not shown: nobody read the output" in last, last


def test_a_slow_reader_gets_every_line():
    run, pipe, port = unread("--print", "--count", "200")
    lines = []
    with open(pipe, "rb", buffering=0) as f:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i in range(200):
            sock.sendto(b"%04d" % i + b"x" * 996, ("127.0.0.1", port))
        while True:
            data = f.read(4096)
            lines.append(data)
            if not data:
                break
            time.sleep(0.002)
    assert b"".join(lines).count(b"1000 bytes: ") == 200 and run.wait(20) == 0


def test_count_duration_and_stats_end_a_run():
    with Echo("--count", "3") as e:
        exchange(e.port, b"1", b"2", b"3")
        assert e.end(ask=False)[-1]["rx"] == 3
    with Echo("--duration", "300ms", "--stats", "50ms") as e:
        events = e.end(ask=False)
        assert events[-1]["type"] == "summary"
        assert sum(x["type"] == "stats" for x in events) >= 2


def test_batches_trains_and_the_plain_path():
    for options in [[], ["--plain"], ["--threads", "3"], ["--spin", "50us"]]:
        with Echo(*options) as e:
            end = ping("-q", "--flood", "--window", "64", "-c", "20000", "-W", "10s", e.target)[-1]
            assert end["sent"] == end["received"] == 20000, (options, end)
            train(e.port, 40, 100)
            summary = e.end()[-1]
            assert summary["tx"] == summary["rx"] == 20040, (options, summary)


def train(port, n, size):
    """n datagrams handed to the kernel as one; on loopback they arrive as one, too."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.setsockopt(socket.SOL_UDP if hasattr(socket, "SOL_UDP") else 17, 103, size)  # UDP_SEGMENT
    sent = b"".join(bytes([i]) * size for i in range(n))
    sock.sendto(sent, ("127.0.0.1", port))
    assert b"".join(sock.recv(65536) for _ in range(n)) == sent
    sock.close()


def splitmix(seed):
    mask = 2**64 - 1
    while True:
        seed = (seed + 0x9e3779b97f4a7c15) & mask
        z = seed
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & mask
        z = (z ^ z >> 27) * 0x94d049bb133111eb & mask
        yield z ^ z >> 31


def test_impairments_follow_the_seed():
    """The documented draws, computed here, foretell what the tester sees."""
    for seed in [1, 2, 3]:
        draw = splitmix(seed)
        drop = dup = corrupt = 0
        for _ in range(100):
            d, u, _, c, _ = [next(draw) for _ in range(5)]
            if (d >> 11) / 2**53 < 0.1:
                drop += 1
            else:
                corrupt += (c >> 11) / 2**53 < 0.05
                dup += (u >> 11) / 2**53 < 0.1 and (c >> 11) / 2**53 >= 0.05
        with Echo("--seed", str(seed), "--drop", "10%", "--dup", "0.1", "--corrupt", "5%",
                  "--delay", "20ms") as e:
            end = ping("-c", "100", "-i", "3ms", "-W", "2s", e.target)[-1]
            got = (end["lost"], end["duplicate"], end["corrupted"])
            assert got == (drop, dup, corrupt), (seed, got, (drop, dup, corrupt))
            assert end["rtt_ns"]["min"] >= 20_000_000, end["rtt_ns"]
    with Echo("--reorder", "20%", "--seed", "4") as e:
        end = ping("-c", "100", "-i", "3ms", e.target)[-1]
        mine, other = end["reordered"], e.end()[-1]["reordered"]
        assert mine == other > 5 and end["received"] == 100, (other, end)


def foretell_order(seed, n, drop, dup, reorder):
    """The answers to n datagrams in their order, and how many were passed by another."""
    draw, order, behind, passed = splitmix(seed), [], [], 0
    for i in range(n):
        lost, twice, late = [(next(draw) >> 11) / 2**53 < p for p in (drop, dup, reorder)]
        next(draw), next(draw)
        if lost:
            continue
        if late and len(behind) + 1 + twice <= 64:
            behind += [i] * (1 + twice)
            continue
        passed += len(set(behind))
        order += [i, *behind] + [i] * twice
        behind = []
    return order + behind, passed


def test_reorder_takes_its_whole_part():
    """Those drawn while another waits, too: the order of all answers is foretold."""
    n = 300
    for seed, drop, dup, reorder in [(1, 0, 0, .05), (2, 0, 0, .5), (3, .1, .1, .3), (4, 0, .5, .98)]:
        order, passed = foretell_order(seed, n, drop, dup, reorder)
        with Echo("--seed", str(seed), "--drop", str(drop), "--dup", str(dup), "--reorder",
                  str(reorder)) as e:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            roomy(sock)
            sock.settimeout(5)
            for i in range(n):
                sock.sendto(i.to_bytes(4, "big"), ("127.0.0.1", e.port))
            got = [int.from_bytes(sock.recv(100), "big") for _ in order]
            assert got == order, (seed, got, order)
            assert e.end()[-1]["reordered"] == passed
    assert foretell_order(2, n, 0, 0, .5)[1] > 130


def test_conditions_and_exit_codes():
    with Echo() as e:
        coo("ping", "-q", "-c", "3", "-i", "5ms", "--fail-if", "loss>0", e.target)
        _, err = coo("ping", "-q", "-c", "3", "-i", "5ms", "--fail-if", "received<10", e.target,
                     code=1)
        assert "received<10 holds" in err
        coo("ping", "-q", "-c", "3", "-i", "5ms", "--fail-if", "max<=10s", e.target, code=1)
        for wrong in ["loss", "p98>1ms", "loss>5ms", "p99>5", "loss>>1%", ">1", "max!5ms"]:
            coo("ping", "-c", "1", "--fail-if", wrong, e.target, code=2)
        coo("ping", "-q", "-c", "1", "127.0.0.1:9", code=1)
        coo("ping", "-q", "-c", "1", e.target, "127.0.0.1:9", code=3)
        swept = ping("-q", "-c", "1", "-i", "10ms", "--sweep-size", "1k:2k:512", e.target)
        assert [x["size"] for x in swept if x["type"] == "size" and x["df"]] == [1024, 1536, 2048]
        coo("ping", "-q", "-c", "1", "--fail-if", "loss>=100%", "--fail-if", "loss>0.5", e.target)
        both = ping("-q", "-c", "4", "-i", "5ms", e.target, "127.0.0.1:9", code=3)
        assert [x["received"] for x in both if x["type"] == "summary"] == [4, 0]
    for wrong in [[], ["127.0.0.1:0"], ["127.0.0.1:99999"], ["-4", "-6", "x"], ["--dscp", "no", "1.2.3.4"],
                  ["--fill", "xyz", "127.0.0.1"], ["--sweep-size", "9:1", "127.0.0.1"],
                  ["--expect", "f", "127.0.0.1"], ["-s", "27", "127.0.0.1"], ["-i", "5", "127.0.0.1"]]:
        coo("ping", *wrong, code=2)
    for wrong, message in [
            ("-d 0s 127.0.0.1", "at least"), ("--flood -i 1ms 127.0.0.1", "--flood follows"),
            ("--pps 5 -i 1s 127.0.0.1", "--pps and --interval"), ("--window 3 127.0.0.1", "goes with --flood"),
            ("--json --plot 127.0.0.1", "take one"), ("--warn-if loss>1% 127.0.0.1", "is for --nagios"),
            ("--stateful 127.0.0.1", "goes with --stamp"), ("--stamp -s 40 127.0.0.1", "44 bytes"),
            ("-b ::1 127.0.0.1", "IPv6 and cannot reach 127.0.0.1:7"),
            ("127.0.0.1 127.0.0.1:7", "is a target twice"), ("fe80::1", "may be on any link"), ("127.0.0.010", "octal"),
            ("--fail-if loss>1 127.0.0.1", "from 0% to 100%"), ("--fail-if loss>101% 127.0.0.1", "from 0%"),
            ("--fail-if p99>5 127.0.0.1", "has a unit"), ("--fail-if p98>5ms 127.0.0.1", "no figure"),
            ("--fail-if sent>5% 127.0.0.1", "only loss")]:
        _, err = coo("ping", *wrong.split(), code=2)
        assert message in err, (wrong, err)
    with tempfile.TemporaryDirectory() as folder, Echo() as e:
        config = os.path.join(folder, "config")  # what it holds for other runs is no contradiction
        with open(config, "w", encoding="ascii") as f:
            f.write("[ping]\ninterval = 1s\nplot = yes\nwarn-if = loss>1%\nwindow = 3\n")
        os.environ["COO_CONFIG"] = config
        for fine in ["--flood", "--pps 100", "--json"]:
            coo("ping", "-c", "2", *fine.split(), e.target)
        del os.environ["COO_CONFIG"]
        coo("ping", "-q", "-c", "1", "-I", "nosuch0", "-I", "lo", e.target)
    for wrong, message in [("-I nosuch0 127.0.0.1", 'no interface "nosuch0"'),
                           ("-b 192.0.2.1 127.0.0.1", "no address of this host")]:
        _, err = coo("ping", "-c", "1", *wrong.split(), code=4)
        assert message in err, (wrong, err)
    coo("ping", "-c", "1", "no.such.host.invalid", code=4)
    coo("echo", "x", code=2)
    coo("echo", "-p", "0", "--allow", "nonsense", code=2)
    coo("echo", "-p", "0", "--drop", "3", code=2)
    for option in "--count", "--duration", "--rate", "--max-size", "--stats", "--threads":
        _, err = coo("echo", "-p", "0", "-b", "127.0.0.1", option, "0", code=2)
        assert f'coo: {option} cannot be "0": it has to be ' in err, err
    _, err = coo("echo", "-p", "99999", "-b", "127.0.0.1", code=2)
    assert '--port cannot be "99999"' in err, err


def test_a_port_in_use_is_said():
    with Echo() as e:
        _, err = coo("echo", "-p", str(e.port), "-b", "127.0.0.1", code=4)
        assert "in use" in err, err


def test_nagios():
    with Echo() as e:
        base = ["ping", "--nagios", "-c", "20", "-i", "2ms"]
        out, _ = coo(*base, "--warn-if", "loss>10%", "--fail-if", "loss>50%", e.target)
        assert re.match(r"UDP ECHO OK - 127\.0\.0\.1:\d+: 20 of 20 answered, 0 % lost, rtt avg "
                        r"[\d.]+ ms \| loss=0%;10;50 sent=20;; received=20;;", out), out
        assert out.count("\n") == 1
        assert "UDP ECHO WARNING" in coo(*base, "--warn-if", "sent>3", e.target, code=1)[0]
        assert "UDP ECHO CRITICAL" in coo(*base, "--fail-if", "max>1ns", e.target, code=2)[0]
    assert "UDP ECHO CRITICAL" in coo("ping", "--nagios", "-c", "1", "127.0.0.1:9", code=2)[0]
    assert "UDP ECHO UNKNOWN" in coo("ping", "--nagios", "no.such.host.invalid", code=3)[0]
    assert "UDP ECHO UNKNOWN" in coo("ping", "--nagios", "--report", "/no/x", "127.0.0.1:9", code=3)[0]
    assert "UDP ECHO UNKNOWN" in coo("ping", "--nagios", "-4", "-6", "127.0.0.1:9", code=3)[0]
    assert "without --json" in coo("ping", "--nagios", "--json", "127.0.0.1:9", code=3)[1]


def run_until_signal(numbers, *args):
    run = subprocess.Popen([COO, "ping", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
    for _ in range(3):
        run.stdout.readline()
    for number in numbers:
        run.send_signal(number)
    out, err = run.communicate(timeout=30)
    return run.returncode, out, err


def test_signals():
    with Echo() as e:
        code, out, _ = run_until_signal([signal.SIGINT], "-i", "5ms", e.target)
        assert code == 0 and "echo statistics" in out and ", 0 lost (0 %)" in out, out
    run = subprocess.Popen([COO, "ping", "-i", "20ms", "-d", "1s", "127.0.0.1:9"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run.stdout.readline()
    run.send_signal(signal.SIGQUIT)
    _, err = run.communicate(timeout=30)
    assert re.search(r"127\.0\.0\.1:9: \d+ sent, 0 received", err), err


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href") and v != "data:,"]


def test_files():
    with tempfile.TemporaryDirectory() as folder, Echo("--drop", "5%", "--seed", "9") as e:
        prom, page = os.path.join(folder, "x.prom"), os.path.join(folder, "x.html")
        end = ping("-c", "200", "-i", "2ms", "-W", "200ms", "--interval-stats", "100ms",
                   "--prometheus", prom, "--report", page, e.target)
        assert sum(x["type"] == "interval" for x in end) >= 3
        for key in ["sent", "received", "lost"]:
            counted = sum(x[key] for x in end if x["type"] == "interval")
            assert counted == end[-1][key], (key, counted)
        with open(prom, encoding="utf-8") as f:
            metrics = dict(re.findall(r"^([a-z_]+)\{[^}]*\} (\S+)$", f.read(), re.M))
        assert float(metrics["coo_ping_sent_total"]) == 200
        assert float(metrics["coo_ping_lost_total"]) == end[-1]["lost"] > 0
        with open(prom, encoding="utf-8") as f:
            kinds = dict(re.findall(r'^coo_ping_icmp_errors_total\{.*kind="(\w+)"\} (\d+)$', f.read(),
                                    re.M))
        assert {k: int(v) for k, v in kinds.items()} == end[-1]["icmp"], kinds
        assert not os.path.exists(prom + ".part")
        with open(page, encoding="utf-8") as f:
            text = f.read()
        parsed = Page()
        parsed.feed(text)
        assert parsed.tags.count("svg") == 2 and not parsed.links and "script" not in parsed.tags
        assert "var(--bad)" in text and f">{end[-1]['received']}<" in text
        open_in_chromium(folder, page)
        for option in "--csv", "--prometheus", "--report":  # said before the test, not after it
            for path in "/nonexistent/x", folder:
                out, err = coo("ping", "-c", "1", option, path, e.target, code=4)
                assert f"cannot write {option} {path}: " in err and "sent" not in out, (out, err)
        os.chdir(folder)
        coo("ping", "-c", "1", "-q", "--report", "here.html", "--prometheus", "here.prom", e.target)
        assert os.path.exists("here.html") and os.path.exists("here.prom")
        os.chdir("/")
        _, err = coo("ping", "-c", "1", "--report", "", e.target, code=4)
        assert "cannot write --report" in err


def test_files_that_are_none():
    """Links stay links, devices and FIFOs are written to, and - is standard output."""
    with tempfile.TemporaryDirectory() as folder, Echo() as e:
        real, link, fifo = (os.path.join(folder, n) for n in ["real.prom", "link.prom", "fifo"])
        os.mkdir(os.path.join(folder, "sub"))
        real = os.path.join(folder, "sub", "real.prom")
        with open(real, "w", encoding="ascii") as f:
            f.write("old\n")
        os.symlink(real, link)
        os.mkfifo(fifo)
        base = ["ping", "-q", "-c", "2", "-i", "2ms"]
        coo(*base, "--prometheus", link, e.target)
        assert os.path.islink(link) and "coo_ping_sent_total" in open(real, encoding="utf-8").read()
        assert sorted(os.listdir(os.path.join(folder, "sub"))) == ["real.prom"]
        with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True) as reader:
            coo(*base, "--prometheus", fifo, e.target)
            assert "coo_ping_sent_total" in reader.communicate()[0]
        assert stat.S_ISFIFO(os.stat(fifo).st_mode)
        out, err = coo("ping", "-c", "3", "-i", "2ms", "--csv", "-", e.target)
        rows = list(csv.DictReader(io.StringIO(out)))
        assert [r["type"] for r in rows] == ["probe"] * 3 + ["summary"] and not err, out
        assert rows[-1]["received"] == "3" and rows[-1]["send_errors"] == "0"
        assert "alone" in coo("ping", "--csv", "-", "--json", e.target, code=2)[1]


def open_in_chromium(folder, page):
    """A browser draws it and has nothing to complain about."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        assert not os.environ.get("CI"), "needs chromium"
        print("   without chromium: the page was parsed, not drawn")
        return
    shot = os.path.join(folder, "x.png")
    run = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         f"--user-data-dir={folder}/profile", "--enable-logging=stderr", "--v=0",
         f"--screenshot={shot}", "--window-size=1100,1000", f"file://{page}"],
        capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0 and os.path.getsize(shot) > 10000, run.stderr[-2000:]
    assert "CONSOLE" not in run.stderr, run.stderr


def test_plot_fits_the_terminal():
    for columns in [64, 80, 132]:
        with Echo() as e:
            out = subprocess.run([COO, "ping", "-q", "-c", "150", "-i", "1ms", "--plot", e.target],
                                 capture_output=True, text=True, check=True, timeout=30,
                                 env={**os.environ, "COLUMNS": str(columns)}).stdout
        plot = out[out.index("round-trip time (mean"):].splitlines()[1:]
        assert len(plot) > 20 and max(len(line) for line in plot) <= columns, columns
        assert "█" in out and "░" in out and "lost" in out


def test_source_ports_are_compared():
    with Echo() as e:
        end = ping("-q", "-c", "5", "-i", "20ms", "--source-ports", "8", e.target)
        flows = [x for x in end if x["type"] == "flow"]
        assert len({f["source_port"] for f in flows}) == 8 and end[-1]["received"] == 40
        assert all(f["received"] == 5 for f in flows)


def test_an_answer_from_elsewhere_is_foreign():
    one, two = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    one.bind(("127.0.0.1", 0))
    run = subprocess.Popen([COO, "ping", "-c", "2", "-i", "20ms", "-W", "200ms",
                            "127.0.0.1:%d" % one.getsockname()[1]], stdout=subprocess.PIPE, text=True)
    for _ in range(2):
        data, peer = one.recvfrom(2000)
        two.sendto(data, peer)
    out = run.communicate(timeout=20)[0]
    assert run.returncode == 1 and "2 foreign" in out and "answers come from" in out, out


def test_pacing():
    with Echo() as e:
        end = ping("-q", "--pps", "2000", "-d", "1s", e.target)[-1]
        assert 1995 <= end["sent"] <= 2000 and end["received"] == end["sent"], end
        assert end["timer_error_ns"]["p50"] < 1_000_000, end["timer_error_ns"]


def roomy(sock):
    try:
        sock.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)


def test_late_probes_leave_as_one_train():
    """A ping that was stopped for a while catches up; here the kernel hands over trains whole."""
    for flows in 1, 3:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        server.setsockopt(17, 104, 1)  # SOL_UDP, UDP_GRO
        roomy(server)
        server.settimeout(10)
        run = subprocess.Popen([COO, "ping", "--json", "-q", "--pps", "6000", "-c", "1200", "-W", "5s",
                                *(["--source-ports", "3"] if flows > 1 else []),
                                "127.0.0.1:%d" % server.getsockname()[1]],
                               stdout=subprocess.PIPE, text=True)
        seen, longest = 0, 0
        while seen < 1200 * flows:  # what is late at once fits the buffer
            data, ctrl, _, peer = server.recvmsg(65536, 64)
            size = int.from_bytes(ctrl[0][2][:4], sys.byteorder) if ctrl else len(data)
            parts = [data[i:i + size] for i in range(0, len(data), size)]
            assert {len(part) for part in parts} == {64}, (size, len(data))
            for part in parts:
                server.sendto(part, peer)
            if seen < 600 <= seen + len(parts):
                run.send_signal(signal.SIGSTOP)
                time.sleep(0.03)
                run.send_signal(signal.SIGCONT)
            seen += len(parts)
            longest = max(longest, len(parts))
        ends = [json.loads(line) for line in run.communicate(timeout=30)[0].splitlines()]
        assert run.returncode == 0 and longest == 32, longest
        end = [e for e in ends if e["type"] == "summary"][-1]
        assert (end["sent"], end["received"]) == (1200 * flows, 1200 * flows), end
        assert (end["corrupted"], end["foreign"], end["duplicate"]) == (0, 0, 0), end
        assert end["timer_error_ns"]["max"] > 20_000_000, end["timer_error_ns"]


def test_flood_adds_up():
    with Echo() as e:
        end = ping("-q", "--flood", "--window", "32", "-d", FLOOD_SECONDS + "s", "-W", "5s",
                   e.target)[-1]
        assert end["sent"] == end["received"] + end["lost"] + end["corrupted"] + end["pending"]
        assert end["sent"] > 1000 and end["foreign"] == 0, end
        summary = e.end()[-1]
        assert summary["rx"] == end["sent"] - summary["kernel_drops"], (summary, end)


if __name__ == "__main__":
    names = sys.argv[1:] or [n for n in globals() if n.startswith("test_")]
    for name in names:
        globals()[name]()
        print("ok", name, flush=True)
