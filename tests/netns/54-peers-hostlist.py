#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo peers --host-list: lists of a coo listen and of servers that write as Windows does."""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import dialects  # noqa: E402
import lab  # noqa: E402

lab.enter(4)
step = lab.Steps()
capture = lab.Capture()
BR_ISGETLIST2, OKGETLIST, GETLIST, ANSLIST = 0x18, 0x11, 0x12, 0x13
SWAPPED = 30985  # 2425 with its bytes the other way round


def entry(user, host, address, port=SWAPPED, nick="", group="", status=0x0f640001):
    """One host of a list; a lone backspace stands for an empty name."""
    fields = [user, host, str(status), address, str(port), nick or "\b", group or "\b"]
    return ("\a".join(fields) + "\a").encode()


class Server:
    """A host that answers the questions for lists, page by page; it answers no entry."""

    def __init__(self, host):
        self.play(None)
        self.socket = dialects.socket_on(host)
        self.socket.setblocking(True)
        threading.Thread(target=self._serve, daemon=True).start()

    def play(self, pages, head=b"%5d\a%5d\a"):
        """From now on: pages(start) gives the entries and the next start; None: it has no list."""
        self.pages, self.head, self.asked = pages, head, []

    def _serve(self):
        while True:
            data, source = self.socket.recvfrom(65535)
            parts = data.split(b":", 5)
            command = int(parts[4]) & 0xff if len(parts) == 6 else 0
            if command == BR_ISGETLIST2 and self.pages:
                self.say(OKGETLIST, b"", source)
            elif command == GETLIST:
                start = int(parts[5].rstrip(b"\0") or b"0")
                self.asked.append(start)
                entries, following = self.pages(start)
                self.say(ANSLIST | 0x800000,
                         self.head % (following, len(entries)) + b"".join(entries) + b"\0", source)

    def say(self, command, ext, to):
        self.socket.sendto(b"1:%d:srv:SRV:%d:" % (7 + len(self.asked), command) + ext, to)


def peers(*args):
    code, out, _ = lab.coo("h1", "peers", "--json", "--host-list", "--wait", "1s", *args)
    found = [e for e in map(json.loads, out.splitlines()) if e["type"] == "peer"]
    return code, {(e["peer"]["addr"], e["peer"]["port"], e["peer"]["user"], e["peer"]["nick"],
                   e["peer"]["group"], e["found"]) for e in found}, found


with step("the list of a coo listen: whom it heard, beyond what a broadcast reaches"):
    # h1 hears nothing of h3
    os.system("on h1 nft 'add table inet f; add chain inet f c { type filter hook input priority 0; }; "
              "add rule inet f c ip saddr 10.77.0.3 drop'")
    os.system("on h3 sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'")
    server = lab.Coo("h2", "listen", "--json", "--serve-list", "--nick", "名册")
    hidden = lab.Coo("h3", "listen", "--json", "--user", "li", "--nick", "李四", "--group", "营业")
    server.expect(type="peer_up", peer__addr="10.77.0.3")
    code, found, events = peers("--wait", "3s")  # who has just come answers the second question
    assert code == 0 and found == {
        ("10.77.0.2", 2425, "root", "名册", "", "broadcast"),
        ("10.77.0.3", 2425, "li", "李四", "营业", "host list")}, found
    listed, = [e for e in events if e["found"] == "host list"]
    assert listed["rtt_ns"] is None and listed["peer"]["last_heard"] is None, listed
    _, out, _ = lab.coo("h1", "peers", "--host-list", "--wait", "1s")
    row, = [line for line in out.splitlines() if "李四" in line]
    assert row.split() == ["李四", "营业", "h3", "10.77.0.3", "unknown", "UTF-8", "-", "online",
                           "host", "list"], row

with step("the host that asks is on the list, too, and does not find itself"):
    assert server.seen(type="peer_up", peer__addr="10.77.0.1")
    assert not any(addr == "10.77.0.1" for addr, *_ in found), found

with step("asked by its address it gives its list, too"):
    code, found, _ = peers("10.77.0.2")
    assert code == 0 and {how for *_, how in found} == {"sweep", "host list"}, found

with step("without --host-list nobody is asked for one"):
    before = len(capture.packets(source="10.77.0.1", command=BR_ISGETLIST2))
    lab.coo("h1", "peers", "--wait", "500ms")
    assert len(capture.packets(source="10.77.0.1", command=BR_ISGETLIST2)) == before

with step("a listener without --serve-list does not answer"):
    assert hidden.stop() == 0 and server.stop() == 0
    server = lab.Coo("h2", "listen", "--json")
    asked = len(capture.packets(source="10.77.0.2", command=OKGETLIST))
    assert len(peers()[1]) == 1
    assert len(capture.packets(source="10.77.0.2", command=OKGETLIST)) == asked
    assert server.stop() == 0

windows = Server("h4")
for form in (b"%5d\a%5d\a", b"%-5d\a%-5d\a", b"%d\a%d\a"):
    with step(f"a list of Windows with its numbers as {form!r}, over several pages"):
        people = [entry(f"user{n}", f"PC{n}", f"10.77.1.{n}", nick=f"太郎{n}", group="営業")
                  for n in range(1, 101)]
        windows.play(lambda start: (people[start:start + 40],
                                    start + 40 if start + 40 < len(people) else 0), form)
        code, found, _ = peers()
        assert windows.asked == [0, 40, 80], windows.asked
        assert code == 0 and found == {(f"10.77.1.{n}", 2425, f"user{n}", f"太郎{n}", "営業",
                                        "host list") for n in range(1, 101)}, found

with step("both orders of the port, empty names, those who left, no address, 127.0.0.1"):
    strange = [entry("straight", "PC1", "10.77.1.1", port=2425),
               entry("other-port", "PC2", "10.77.1.2", port=int.from_bytes(
                   (2426).to_bytes(2, "big"), "little")),
               entry("gone", "PC3", "10.77.1.3", status=2),
               entry("nowhere", "PC4", "no address"),
               entry("itself", "PC5", "127.0.0.1", nick="ここ"),
               entry("six", "PC6", "fd00::6")]
    windows.play(lambda start: (strange, 0))
    code, found, _ = peers()
    assert found == {("10.77.1.1", 2425, "straight", "", "", "host list"),
                     ("10.77.1.2", 2426, "other-port", "", "", "host list"),
                     ("10.77.0.4", 2425, "itself", "ここ", "", "host list"),
                     ("fd00::6", 2425, "six", "", "", "host list")}, found

with step("a server whose pages never end, or go round, is left"):
    for following in (lambda start: start + 1, lambda start: 1):
        windows.play(lambda start, f=following: (
            [entry(f"u{start}", f"PC{start}", f"10.77.2.{start % 250 + 1}")], f(start)))
        code, found, _ = peers()
        assert code == 0 and 1 <= len(windows.asked) <= 64, windows.asked
        assert len(found) == len(set(windows.asked)), found

with step("a page that nobody asked for changes nothing"):
    windows.play(None)
    listen = lab.Coo("h1", "listen", "--json")
    windows.say(ANSLIST, b"    0\a    1\a" + entry("forged", "PC9", "10.77.1.9"),
                ("10.77.0.1", 2425))
    windows.say(0x20 | 0x100, b"after that\0", ("10.77.0.1", 2425))
    listen.expect(type="message", text="after that")
    assert listen.stop() == 0
    assert not listen.seen(type="peer_up")
    assert listen.seen(type="summary")[0]["rx_list_unasked"] == 1

step.done()
