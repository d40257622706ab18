#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo echo between hosts: whom it answers and from where, and that no forgery makes a storm."""
import json
import os
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(4, "--vlans", "2")  # h1 h2 on 10.77.0/24, h3 h4 on 10.78.0/24
step = lab.Steps()

SEND = """
import socket, sys
to, port, source = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.bind(("", source))
s.settimeout(float(sys.argv[4]))
s.sendto(b"hello", (to, port))
try:
    data, peer = s.recvfrom(100)
    print(data.decode(), peer[0], peer[1])
except TimeoutError:
    print("silence")
"""
TRAIN = """
import socket, sys
to = (sys.argv[1], int(sys.argv[2]))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.setsockopt(17, 103, 100)  # UDP_SEGMENT
sent = [bytes([i]) * 100 for i in range(40)]
s.sendto(b"".join(sent), to)
got = [s.recvfrom(1000) for _ in sent]
print("whole" if sorted(d for d, _ in got) == sent and {p for _, p in got} == {to} else got)
"""
FORGE = """
import socket, struct, sys
source, sport, to, port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
udp = struct.pack(">HHHH", sport, port, 8 + 5, 0) + b"storm"
ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                 socket.inet_aton(source), socket.inet_aton(to))
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.sendto(ip + udp, (to, 0))
"""


def run(host, code, *args):
    out = subprocess.run(["on", host, sys.executable, "-c", code, *map(str, args)],
                         capture_output=True, text=True, timeout=30, check=False)
    assert out.returncode == 0, out.stderr
    return out.stdout.strip()


def say(host, to, port, source=0, wait=5.0):
    return run(host, SEND, to, port, source, wait)


def ip(host, *args):
    subprocess.run(["on", host, "ip", *args], check=True)


def summary(server):
    assert server.stop() == 0
    return server.expect(type="summary")


def ping(host, *args):
    code, out, _ = lab.coo(host, "ping", "--json", *args)
    return code, [json.loads(line) for line in out.splitlines()]


with step("each address of a host answers for itself, old and new"):
    ip("h1", "addr", "add", "10.77.0.101/24", "dev", "eth0")
    echo = lab.Coo("h1", "echo", "--json")
    ip("h1", "addr", "add", "10.77.0.102/24", "dev", "eth0")
    for last in [1, 101, 102]:
        assert say("h2", f"10.77.0.{last}", 7) == f"hello 10.77.0.{last} 7"
        assert run("h2", TRAIN, f"10.77.0.{last}", 7) == "whole"
    summary(echo)

with step("IPv6 is answered too"):
    echo = lab.Coo("h1", "echo", "--json")
    shown = subprocess.run(["on", "h1", "ip", "-6", "-o", "addr", "show", "dev", "eth0"],
                           capture_output=True, text=True, check=True).stdout
    address = shown.split("inet6 ")[1].split("/")[0]
    code, events = ping("h2", "-c", "3", "-i", "10ms", f"[{address}%eth0]:7")
    assert code == 0 and events[-1]["received"] == 3, events[-1]
    summary(echo)

with step("broadcasts, service ports and strange networks are counted and not answered"):
    echo = lab.Coo("h1", "echo", "--json")
    assert say("h2", "10.77.0.255", 7, wait=0.3) == "silence"
    assert say("h2", "10.77.0.1", 7, source=19, wait=0.3) == "silence"
    assert say("h2", "10.77.0.1", 7, source=7, wait=0.3) == "silence"
    assert say("h3", "10.77.0.1", 7, wait=0.3) == "silence"
    assert say("h2", "10.77.0.1", 7) == "hello 10.77.0.1 7"
    end = summary(echo)
    refused = {k: v for k, v in end["refused"].items() if v}
    assert refused == {"broadcast": 1, "port": 1, "own": 1, "off_link": 1}, refused
    assert (end["rx"], end["tx"]) == (5, 1), end

with step("--allow names who may ask, the others may not"):
    echo = lab.Coo("h1", "echo", "--json", "--allow", "10.78.0.0/24")
    assert say("h3", "10.77.0.1", 7) == "hello 10.77.0.1 7"
    assert say("h2", "10.77.0.1", 7, wait=0.3) == "silence"
    assert summary(echo)["refused"]["off_link"] == 1

with step("--rate and --max-size bound what one source gets"):
    echo = lab.Coo("h1", "echo", "--json", "--rate", "20", "--max-size", "100")
    code, events = ping("h2", "-q", "-c", "60", "-i", "1ms", "-W", "300ms", "10.77.0.1")
    answered = events[-1]["received"]
    credit = 20 + 20 * events[-1]["duration_ns"] / 1e9  # a second's worth at once, then the rate
    assert 20 <= answered <= credit + 1 and answered < 60, (answered, credit)
    ping("h2", "-q", "-c", "2", "-i", "1ms", "-s", "101", "-W", "200ms", "10.77.0.1")
    end = summary(echo)
    assert end["refused"]["rate"] == 60 - answered and end["refused"]["size"] == 2, end

with step("two responders and a forged source: one datagram, no storm"):
    one, two = lab.Coo("h1", "echo", "--json"), lab.Coo("h2", "echo", "--json")
    wire = lab.Capture("br0")
    run("h2", FORGE, "10.77.0.2", 7, "10.77.0.1", 7)    # as if h2's echo asked h1's
    run("h1", FORGE, "10.77.0.1", 7, "10.77.0.2", 7)
    run("h2", FORGE, "10.77.0.1", 7, "10.77.0.1", 7)    # its own address
    run("h2", FORGE, "10.77.0.255", 7, "10.77.0.1", 7)  # a broadcast address as source
    for host, to in [("h2", "10.77.0.1"), ("h1", "10.77.0.2")]:  # all before it has been read
        assert say(host, to, 7) == f"hello {to} 7"
    one_end, two_end = summary(one), summary(two)
    storm = [d for d in wire.datagrams if d[2] == b"storm"]
    assert len(storm) <= 4, storm
    assert one_end["tx"] == 1 and two_end["tx"] == 1, (one_end, two_end)
    for end in [one_end, two_end]:  # kernels differ in which forgeries they let through
        assert end["refused"]["own"] >= 1 and end["rx"] == 1 + end["refused"]["own"], end

with step("responders on two ports of their own: the tutorials' port is known as one"):
    one = lab.Coo("h1", "echo", "--json", "-p", "7088")
    two = lab.Coo("h2", "echo", "--json", "-p", "7000")
    run("h1", FORGE, "10.77.0.1", 7088, "10.77.0.2", 7000)
    assert say("h1", "10.77.0.2", 7000) == "hello 10.77.0.2 7000"
    one_end, two_end = summary(one), summary(two)
    assert one_end["rx"] == 0 and two_end["refused"]["port"] == 1 and two_end["tx"] == 1

with step("a broadcast probe finds every responder and who is missing"):
    echoes = [lab.Coo("h1", "echo", "--json", "--answer-broadcast")]
    expect = os.path.join(os.environ.get("TMPDIR", "/tmp"), "expect")
    with open(expect, "w", encoding="ascii") as f:
        f.write("10.77.0.1  # here\n\n10.77.0.9\n")
    code, events = ping("h2", "--broadcast", "-c", "2", "-i", "20ms", "-W", "300ms", "--expect",
                        expect, "10.77.0.255")
    assert code == 3, code
    end = events[-1]
    assert [r["addr"] for r in end["repliers"]] == ["10.77.0.1"], end
    # a kernel that is busy elsewhere may refuse one (ENOBUFS), which is told as not sent
    assert end["sent"] + end["send_errors"] == 2 and end["sent"] >= 1, end
    assert end["repliers"][0]["received"] == end["sent"], end
    assert end["missing"] == ["10.77.0.9"], end
    for e in echoes:
        summary(e)

with step("a sweep names the largest size that passes whole"):
    echo = lab.Coo("h1", "echo", "--json")
    for host in ["h1", "h2"]:
        ip(host, "link", "set", "eth0", "mtu", "1400")
    code, events = ping("h2", "-q", "--sweep-size", "1360:1380:4", "-i", "60ms", "-c", "2",
                        "-W", "500ms", "10.77.0.1")
    for host in ["h1", "h2"]:
        ip(host, "link", "set", "eth0", "mtu", "1500")
    assert events[-1]["largest_df_size"] == 1372, events[-1]  # 1,400 less 28 of headers
    whole = [e for e in events if e["type"] == "size" and not e["df"]]
    assert all(e["received"] == 2 for e in whole), whole
    summary(echo)

with step("answers too long for one train leave datagram by datagram"):
    echo = lab.Coo("h1", "echo", "--json")
    for size in ["64", "1472", "1473", "2000", "9000"]:
        code, events = ping("h2", "-q", "--flood", "--window", "32", "-c", "1000", "-s", size,
                            "10.77.0.1")
        assert code == 0 and events[-1]["received"] == 1000, (size, events[-1])
    end = summary(echo)
    assert end["tx"] == 5000 and end["send_errors"] == 0, end

with step("an unreachable port is told by its ICMP error"):
    subprocess.run(["on", "h1", "sh", "-c", "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit"],
                   check=True)
    code, events = ping("h2", "-c", "3", "-i", "10ms", "10.77.0.1:9")
    assert code == 1 and events[-1]["icmp"]["port_unreachable"] == 3, events[-1]
    assert events[-1]["lost"] == 3 and events[-1]["duration_ns"] < 1e9

ROUTER = """
echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
ip route add prohibit 10.99.1.0/24
ip route add unreachable 10.99.2.0/24
"""
with step("errors of a router are told by kind"):
    subprocess.run(["on", "r", "sh", "-c", ROUTER], check=True)
    for kind, options in [("time_exceeded", ["--ttl", "1", "10.77.0.1"]),
                          ("prohibited", ["10.99.1.1"]),
                          ("host_unreachable", ["10.99.2.1"]),
                          ("net_unreachable", ["10.99.3.1"])]:
        for _ in range(20):  # a kernel answers one host only now and then
            code, events = ping("h3", "-c", "1", "-W", "300ms", *options)
            got = {k: v for k, v in events[-1]["icmp"].items() if v}
            assert code == 1 and events[-1]["lost"] == 1, events[-1]
            if got:
                break
        assert got == {kind: 1}, (kind, events[-1])
        assert [e["from"] for e in events if e.get("status") == "icmp"] == ["10.78.0.254"]

with step("a narrow link behind a router: where fragmentation begins"):
    echo = lab.Coo("h1", "echo", "--json", "--allow", "10.78.0.0/24")
    devices = subprocess.run(["on", "r", "ip", "-o", "-4", "addr", "show", "to", "10.77.0.254"],
                             capture_output=True, text=True, check=True).stdout
    ip("r", "link", "set", devices.split()[1], "mtu", "1400")
    ip("h1", "link", "set", "eth0", "mtu", "1400")
    code, events = ping("h3", "-c", "1", "-M", "-s", "1400", "10.77.0.1")
    assert code == 1 and events[-1]["icmp"]["fragmentation_needed"] == 1, events[-1]
    code, events = ping("h3", "-q", "--sweep-size", "1364:1380:4", "-i", "60ms", "-c", "2",
                        "-W", "500ms", "10.77.0.1")
    assert events[-1]["largest_df_size"] == 1372, events[-1]
    code, out, _ = lab.coo("h3", "ping", "-q", "--sweep-size", "1364:1380:4", "-i", "60ms", "-c",
                           "2", "-W", "500ms", "10.77.0.1")
    assert "largest that passes unfragmented: 1372 (1400 with headers); longer ones are " \
        "fragmented" in out, out
    ip("h1", "link", "set", "eth0", "mtu", "1500")
    summary(echo)

with step("STAMP: broadcast and multicast are counted and not answered"):
    echo = lab.Coo("h1", "echo", "--json", "-p", "0", "--stamp")
    ip("h1", "route", "add", "224.0.0.0/4", "dev", "eth0")
    for to in ["10.77.0.255", "224.0.0.1"]:
        assert run("h2", SEND.replace('b"hello"', "bytes(44)"), to, 862, 0, 0.3) == "silence"
    assert run("h2", SEND.replace('b"hello"', "bytes(44)").replace("data.decode()", "len(data)"),
               "10.77.0.1", 862, 0, 5.0) == "44 10.77.0.1 862"
    stamp = summary(echo)["stamp"]
    assert (stamp["rx"], stamp["tx"], stamp["refused"]["broadcast"]) == (3, 1, 2), stamp

with step("more than 1,000 a second only to who answers"):
    start = time.monotonic()
    code, _, err = lab.coo("h2", "ping", "--pps", "5000", "-d", "5s", "-W", "300ms",
                           "10.77.0.77")
    assert code == 5 and "does not answer" in err, (code, err)
    assert time.monotonic() - start < 4
    echo = lab.Coo("h1", "echo", "--json")
    code, events = ping("h2", "-q", "--pps", "2000", "-d", "500ms", "10.77.0.1")
    assert code == 0 and events[-1]["sent"] > 900, events[-1]
    summary(echo)

with step("DSCP and TTL are set and seen"):
    watch = lab.Program("h1", sys.executable, "-c", """
import json, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
s.bind(("", 7))
print(json.dumps({"bound": True}), flush=True)
data, anc, _, peer = s.recvmsg(2000, 200)
got = {t: v[0] for _, t, v in anc}
s.sendto(data, peer)
print(json.dumps({"tos": got[socket.IP_TOS], "ttl": got[2]}), flush=True)
""")
    watch.expect(bound=True)
    code, events = ping("h2", "-c", "1", "-Q", "ef", "--ttl", "33", "10.77.0.1")
    assert code == 0 and events[-1]["ttl"] == 64, events[-1]
    watch.expect(tos=46 << 2, ttl=33)

step.done()
