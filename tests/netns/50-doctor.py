#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo doctor: each fault, made alone, is named by its code, and a healthy net has none."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(3)
step = lab.Steps()

# A peer by script: answers entries with ANSENTRY, from packets as other clients send them.
PEER = """
import os, select, socket, sys, time
user, host, answer, tail, calls = sys.argv[1:6]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.bind(("", 2425))
number = int(sys.argv[6])
def packet(command):
    global number
    number += 1
    return b"1:%d:%s:%s:%d:" % (number, user.encode(), host.encode(), command) + bytes.fromhex(tail)
print('{"ready": true}', flush=True)
heard = []
while True:
    if calls == "yes":
        s.sendto(packet(1), ("10.77.0.255", 2425))
    if not select.select([s], [], [], 0.3)[0]:
        continue
    data, peer = s.recvfrom(2000)
    parts = data.split(b":", 5)
    if len(parts) == 6 and int(parts[4]) & 0xff == 1 and parts[2] != user.encode():
        s.sendto(packet(int(answer, 16)), peer)
"""


def peer(host_name, user="wang", host="PC09", answer="3", tail=b"wang\0\0", calls=False, number=7):
    program = lab.Program(host_name, sys.executable, "-c", PEER, user, host, answer, tail.hex(),
                          "yes" if calls else "no", str(number))
    program.expect(ready=True)
    return program


wait = "1200ms"  # what coo answers within; peers by script answer at once


def doctor(host, *args):
    """The findings, and the codes of the faults."""
    code, out, _ = lab.coo(host, "doctor", "--json", "-w", wait, *args)
    events = [json.loads(line) for line in out.splitlines()]
    checks = [e for e in events if e["type"] == "check"]
    faults = sorted({c["code"] for c in checks if c["ok"] is False})
    summary = events[-1]
    assert summary["type"] == "summary" and summary["complete"], summary
    assert summary["faults"] == sum(c["ok"] is False for c in checks), summary
    assert code == (1 if faults else 0), (code, faults)
    for c in checks:
        assert c["detail"] and (c["ok"] is not False or c["cure"]), c
    return checks, faults


def only(code, *args, host="h1", says=""):
    checks, faults = doctor(host, *args)
    assert faults == [code], faults
    details = [c["detail"] for c in checks if c["code"] == code]
    assert any(says in d for d in details), details


def on(host, *argv):
    subprocess.run(["on", host, *argv], check=True)


def nft(host, *rules):
    on(host, "nft", "add table inet f; " + "; ".join("add " + r for r in rules))


def chain(hook, policy="accept"):
    return f"chain inet f c {{ type filter hook {hook} priority 0; policy {policy}; }}"


def no_nft(host="h1"):
    on(host, "nft", "flush ruleset")


listeners = {h: lab.Coo(h, "listen", "--json", "--user", "u" + h) for h in ("h2", "h3")}


with step("a healthy net has no fault, with and without an address"):
    checks, faults = doctor("h1")
    assert faults == [], faults
    assert all(c["ok"] for c in checks), checks
    checks, faults = doctor("h1", "10.77.0.2")
    assert faults == [] and {"COO-D21", "COO-D22", "COO-D23"} <= {c["code"] for c in checks}

with step("nor has one in text, where a line says of each check that it is sound"):
    text = subprocess.run(["on", "h1", lab.COO, "doctor", "-w", wait], capture_output=True,
                          check=True)  # not printed: "ok" begins a line of the test's own
    lines = text.stdout.decode().splitlines()
    assert lines[-1].startswith("0 faults, "), lines
    assert all(line.startswith("ok     COO-D") for line in lines[:-1]), lines

with step("those who were asked see us come and go"):
    listeners["h2"].expect(type="peer_up", peer__addr="10.77.0.1")
    listeners["h2"].expect(type="peer_down", peer__addr="10.77.0.1")

with step("while coo listens here nothing is wrong, and the others do not notice the doctor"):
    busy = lab.Coo("h1", "listen", "--json", "--user", "uh1")
    listeners["h2"].expect(type="peer_up", peer__user="uh1")
    before = len(listeners["h2"].seen(type="peer_up", peer__addr="10.77.0.1"))
    checks, faults = doctor("h1")
    assert lab.coo("h2", "send", "10.77.0.1", "still there?")[0] == 0
    busy.expect(type="message", text="still there?")
    busy.stop()
    assert faults == [], faults
    assert any(c["code"] == "COO-D04" and c["ok"] and "coo" in c["detail"] for c in checks)
    assert len(listeners["h2"].seen(type="peer_up", peer__addr="10.77.0.1")) == before
    assert all(e["peer"]["port"] == 2425 for e in listeners["h2"].seen(peer__addr="10.77.0.1"))

with step("Ctrl-C ends it with what was found, and it leaves"):
    long = lab.Program("h1", lab.COO, "doctor", "--json", "-w", "60s")
    long.expect(code="COO-D07")
    listeners["h2"].expect(type="peer_up", peer__addr="10.77.0.1")
    assert long.stop() == 0
    long.expect(type="summary", complete=False)  # the last line may be read later than it ends
    listeners["h2"].expect(type="peer_down", peer__addr="10.77.0.1")

with step("one host with two addresses is not two"):
    on("h2", "ip", "addr", "add", "10.77.0.22/24", "dev", "eth0")
    faults = doctor("h1", "10.77.0.22")[1]
    assert faults == [], faults
    on("h2", "ip", "addr", "del", "10.77.0.22/24", "dev", "eth0")

for listener in listeners.values():
    listener.stop()
wait = "200ms"
peers = {h: peer(h, user="u" + h) for h in ("h2", "h3")}

with step("who answers entries alone is not called a fault while another program holds the port here"):
    busy = lab.Coo("h1", "listen", "--json", "--user", "uh1")
    checks, faults = doctor("h1", "10.77.0.2")
    assert faults == [], faults
    assert [c["ok"] for c in checks if c["code"] == "COO-D21"] == [None], checks
    busy.stop()

with step("COO-D01: the link is down"):
    on("h1", "ip", "link", "set", "eth0", "down")
    only("COO-D01", says="eth0")
    on("h1", "ip", "link", "set", "eth0", "up")

with step("COO-D01: the cable is out"):
    subprocess.run(["ip", "link", "set", "h1.eth0", "down"], check=True)
    only("COO-D01", says="no carrier")
    subprocess.run(["ip", "link", "set", "h1.eth0", "up"], check=True)

with step("COO-D01: there is no address"):
    on("h1", "ip", "addr", "flush", "dev", "eth0")
    only("COO-D01", says="no interface")
    on("h1", "ip", "addr", "add", "10.77.0.1/24", "brd", "+", "dev", "eth0")

for prefix in ("25", "16"):
    with step(f"COO-D03: the mask is wrong (/{prefix})"):
        on("h1", "ip", "addr", "flush", "dev", "eth0")
        on("h1", "ip", "addr", "add", "10.77.0.1/" + prefix, "brd", "+", "dev", "eth0")
        only("COO-D03")
        on("h1", "ip", "addr", "flush", "dev", "eth0")
        on("h1", "ip", "addr", "add", "10.77.0.1/24", "brd", "+", "dev", "eth0")

with step("COO-D02: the broadcast address does not fit the mask"):
    on("h1", "ip", "addr", "flush", "dev", "eth0")
    on("h1", "ip", "addr", "add", "10.77.0.1/24", "brd", "10.77.0.127", "dev", "eth0")
    only("COO-D02", says="10.77.0.255")
    on("h1", "ip", "addr", "flush", "dev", "eth0")
    on("h1", "ip", "addr", "add", "10.77.0.1/24", "brd", "+", "dev", "eth0")

with step("an address that was set without a broadcast address is sound, and has one"):
    on("h1", "ip", "addr", "flush", "dev", "eth0")
    on("h1", "ip", "addr", "add", "10.77.0.1/24", "dev", "eth0")
    faults = doctor("h1")[1]
    on("h1", "ip", "addr", "flush", "dev", "eth0")
    on("h1", "ip", "addr", "add", "10.77.0.1/24", "brd", "+", "dev", "eth0")
    assert faults == [], faults

with step("COO-D04: another program holds the UDP port, and is named"):
    other = peer("h1")
    only("COO-D04", says=f"python3 (pid ")
    other.kill()

with step("COO-D05: another program holds the TCP port"):
    other = lab.Program("h1", sys.executable, "-c",
                        "import socket\ns = socket.socket()\ns.bind(('', 2425))\ns.listen()\n"
                        "print('{\"ready\": true}', flush=True)\ns.accept()")
    other.expect(ready=True)
    only("COO-D05", says="python3")
    other.kill()

with step("COO-D06: the routes know no broadcast"):
    on("h1", "ip", "route", "del", "broadcast", "10.77.0.255", "dev", "eth0", "table", "local")
    only("COO-D06", says="10.77.0.255")
    on("h1", "ip", "route", "add", "broadcast", "10.77.0.255", "dev", "eth0", "table", "local",
       "proto", "kernel", "scope", "link", "src", "10.77.0.1")

for name, rules in {
    "by a rule": (chain("input"), "rule inet f c udp dport 2425 drop"),
    "by a set": (chain("input"), "rule inet f c udp dport { 137, 2000-3000 } reject"),
    "by policy": (chain("input", "drop"), "rule inet f c ct state established,related accept",
                  "rule inet f c iif lo accept", "rule inet f c meta l4proto tcp accept"),
}.items():
    with step("COO-D08: the firewall drops what comes in, " + name):
        nft("h1", *rules)
        only("COO-D08")
        no_nft()

with step("COO-D08: also where the rule cannot be judged, since our own broadcast stays out"):
    nft("h1", "set inet f ports { type inet_service; elements = { 2425 }; }", chain("input"),
        "rule inet f c udp dport @ports drop")
    only("COO-D08", says="own broadcast")
    no_nft()

with step("COO-D09: the firewall drops what goes out"):
    nft("h1", chain("output"), "rule inet f c udp dport 2425 drop")
    only("COO-D09")
    no_nft()

with step("COO-D10: the firewall drops TCP"):
    nft("h1", chain("input"), "rule inet f c tcp dport 2425 drop")
    only("COO-D10")
    no_nft()

with step("rules that let the messenger through are no fault"):
    nft("h1", chain("input", "drop"),
        "rule inet f c ct state vmap { established : accept, related : accept, invalid : drop }",
        "rule inet f c iifname lo accept", "rule inet f c ip saddr 10.77.0.0/24 udp dport 2425 accept",
        "rule inet f c tcp dport { 22, 2425 } accept")
    checks, faults = doctor("h1")
    assert faults == [] and all(c["ok"] for c in checks), checks
    no_nft()

with step("COO-D22: TCP of the peer is filtered"):
    nft("h2", chain("input"), "rule inet f c tcp dport 2425 drop")
    only("COO-D22", "10.77.0.2")
    no_nft("h2")

with step("COO-D12: a host that broadcasts do not reach"):
    nft("h2", chain("input"), "rule inet f c pkttype broadcast drop")
    only("COO-D12", "10.77.0.2", says="10.77.0.2")
    no_nft("h2")

with step("COO-D21: nobody there, and no messenger there"):
    only("COO-D21", "10.77.0.99", says="no host answers")
    peers["h3"].kill()
    only("COO-D21", "10.77.0.3", says="no messenger listens")

with step("COO-D14: a path that carries in one direction alone"):
    caller = peer("h3", calls=True)
    nft("h3", chain("input"), "rule inet f c ip saddr 10.77.0.1 udp dport 2425 drop")
    only("COO-D14", says="wang@PC09 (10.77.0.3)")
    no_nft("h3")
    caller.kill()

with step("COO-D13: a host that answers for a while after it has spoken"):
    caller = peer("h3", calls=True)
    nft("h3", chain("input", "drop"), "rule inet f c ct state established accept",
        "rule inet f c udp sport 2425 pkttype != broadcast accept")
    only("COO-D13", says="wang@PC09 (10.77.0.3)")
    no_nft("h3")
    caller.kill()

lies = {
    "UTF8OPT": ("800003", "张三\0营业\0".encode("gbk")),
    "a UTF-8 block": ("1000003", "张三\0营业\0".encode("gbk") + "\nNN:张三\nGN:营业".encode("gbk")),
    "iptux's word": ("3", "张三\0营业\0".encode("gbk") + b"icon-tux.png\0utf-8\0"),
}
for name, (answer, tail) in lies.items():
    with step(f"COO-D15: a peer says UTF-8 with {name} and writes GBK"):
        liar = peer("h3", answer=answer, tail=tail)
        only("COO-D15", says="10.77.0.3")
        liar.kill()

with step("a peer that says nothing and writes GBK is no fault"):
    honest = peer("h3", tail="张三\0营业\0".encode("gbk"))
    assert doctor("h1")[1] == []
    honest.kill()

with step("COO-D16: two hosts have one identity"):
    peers["h2"].kill()
    twins = [peer("h2", number=1000), peer("h3", number=5000)]
    only("COO-D16", says="wang@PC09")
    for twin in twins:
        twin.kill()

with step("COO-D16: another host has ours"):
    twin = peer("h2", user="me", host="mine")
    only("COO-D16", "--user", "ME", "--host", "mine", says="as we")
    twin.kill()

peers["h2"] = peer("h2")
with step("COO-D17: the receive buffer is tiny"):
    only("COO-D17", "--rcvbuf", "4k", says="buffer has")

with step("COO-D20: the disk for state is full"):
    state = "/run/lab/h1/state/coo"
    os.makedirs(state, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", state], check=True)
    with open(state + "/full", "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass
    only("COO-D20", says="No space left")
    subprocess.run(["umount", state], check=True)

with step("an unknown interface and two addresses are errors of usage"):
    assert lab.coo("h1", "doctor", "-I", "eth7")[0] == 2
    assert lab.coo("h1", "doctor", "10.77.0.2", "10.77.0.3")[0] == 2

with step("an address of everybody is refused, as is none at all"):
    for address, says in (("10.77.0.255", "broadcast"), ("255.255.255.255", "broadcast"),
                          ("224.0.0.1", "multicast"), ("0.0.0.0", "every address")):
        code, out, err = lab.coo("h1", "doctor", address)
        assert code == 2 and out == "" and says in err and address in err, (code, err)

with step("an own address is this machine: no fault, and nothing is asked"):
    for address in ("10.77.0.1", "127.0.0.1", "::1"):
        checks, faults = doctor("h1", address)
        said = {c["code"]: c for c in checks}
        assert faults == [] and not {"COO-D22", "COO-D23"} & set(said), checks
        target = said["COO-D21"]
        assert target["ok"] is None and f"{address} is this machine" in target["detail"], target

with step("a name that nobody has is an error of usage, not a fault"):
    for name in ("nosuch", "group:nosuch", ""):
        code, out, err = lab.coo("h1", "doctor", name)
        assert code == 2 and out == "" and f'"{name}"' in err, (code, err)

step.done()
