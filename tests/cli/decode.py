#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo decode: what it prints for hex, raw bytes, hex lines and captures, and its exit codes."""
import json
import os
import struct
import subprocess
import sys
import tempfile

COO = os.environ.get("COO", "build/coo")
SEED = "1:123123:吴彦祖:吴彦祖-pc:32:haha"
failures = 0


def coo(*args, stdin=b""):
    env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
    return subprocess.run([COO, "decode", *args], input=stdin, capture_output=True, env=env, timeout=30)


def check(ok, what, *more):
    global failures
    if not ok:
        failures += 1
        print("FAIL", what, *more)


def expect(what, result, code, stdout=None, stderr=None):
    out, err = result.stdout.decode(), result.stderr.decode()
    check(result.returncode == code, what, "exit", result.returncode, out, err)
    if stdout is not None:
        check(out == stdout, what, "stdout:\n" + out, "\nwant:\n" + stdout)
    if stderr is not None:
        check(stderr in err, what, "stderr:", err)


def events(result, kind):
    return [e for e in map(json.loads, result.stdout.decode().splitlines()) if e["type"] == kind]


def vectors():
    name = None
    with open("tests/golden/packets.vec", encoding="utf-8") as f:
        for line in f:
            if line.startswith("id "):
                name = line.split()[1]
            elif line.startswith("hex "):
                yield name, bytes.fromhex(line[4:].strip())


def real():
    with open("tests/golden/real.tsv", encoding="utf-8") as f:
        next(f)
        for line in f:
            column = line.split("\t")
            yield column[0][:2] + "/" + column[1], bytes.fromhex(column[8])


VEC, REAL = dict(vectors()), dict(real())


def lines(head, *fields):
    return head + "\n" + "".join("  " + f + "\n" for f in fields)


def exact_text():
    expect("A01", coo(VEC["A01"].hex()), 0, lines(
        "packet", "size          31", "version       1", "client        ipmsg", "packet no     100",
        "user          shirouzu", "host          jupiter", "command       32", "as hex        0x00000020",
        "command name  SENDMSG", "flags         none", "text          Hello", "nuls          0",
        "charset       US-ASCII", "replacements  0"))
    expect("C01", coo(VEC["C01"].hex()), 0, lines(
        "packet", "size          48", "version       1", "client        ipmsg", "packet no     1783728100",
        "user          taro", "host          PC01", "command       25166112", "as hex        0x01800120",
        "command name  SENDMSG", "flags         sendcheck utf8 caputf8", "text          こんにちは",
        "nuls          1", "charset       UTF-8", "replacements  0"))
    expect("C02", coo(VEC["C02"].hex()), 0, lines(
        "packet", "size          39", "version       1", "client        ipmsg", "packet no     1783728101",
        "user          hanako", "host          PC02", "command       33", "as hex        0x00000021",
        "command name  RECVMSG", "flags         none", "refers to     1783728100", "nuls          1",
        "charset       US-ASCII", "replacements  0"))
    feiq = ["client        feiq", "feiq", "  generation    lbt6", "  avatar        0", "  status        128",
            "  mac           C85B76BD9F3F", "  avatar size   0", "  image size    0", "  cipher size   0",
            "  build         4001", "  tail          9"]
    expect("G11", coo(VEC["G11"].hex()), 0, lines(
        "packet", "size          125", "version       1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9", *feiq,
        "packet no     1783728503", "user          Lee", "host          LEE-PC", "command       288",
        "as hex        0x00000120", "command name  SENDMSG", "flags         sendcheck", "text          1122",
        "font          {/font;-8 0 0 0 400 0 0 0 1 0 0 2 32 微软雅黑 8404992;}", "nuls          1",
        "charset       GBK", "replacements  0"))
    expect("B01", coo("--charset", "cp932", VEC["B01"].hex()), 0, lines(
        "packet", "size          100", "version       1", "client        ipmsg", "packet no     1783728010",
        "user          taro", "host          PC01", "command       258211841", "as hex        0x0f640001",
        "command name  BR_ENTRY",
        "flags         capfileenc fileattach encrypt caputf8 capipdict encextmsg clipboard",
        "nick          太郎", "group         営業", "utf8_block", "  user          taro", "  host          PC01",
        "  nick          太郎", "  group         営業", "  version       00010002:4:99:103", "nuls          0",
        "charset       CP932", "replacements  0"))
    expect("D01", coo(VEC["D01"].hex()), 0, lines(
        "packet", "size          111", "version       1", "client        ipmsg", "packet no     1783728200",
        "user          taro", "host          PC01", "command       27263264", "as hex        0x01a00120",
        "command name  SENDMSG", "flags         sendcheck fileattach utf8 caputf8", "text          see file",
        "files", "  - id            123456789", "    name          report.pdf", "    size          123456",
        "    mtime         2026-07-12T00:40:32.000+00:00", "    kind          file",
        "    attributes    0x00000001", "  - id            123456790", "    name          photos",
        "    size          0", "    mtime         2026-07-12T00:40:32.000+00:00", "    kind          dir",
        "    attributes    0x00000002", "nuls          0", "charset       US-ASCII", "replacements  0"))
    expect("H08", coo(VEC["H08"].hex()), 1, lines(
        "malformed", "error         EFORMAT", "offset        0",
        "reason        it begins with the byte order mark of UTF-16", "size          18",
        "hex           " + VEC["H08"].hex()))


def faults():
    rows = [
        (b"", 0, "no"), (b"1:2:u", 5, "field user"), (b"1:2:u:h", 7, "field host"),
        (b"2:1:u:h:32:x", 0, "version"), (b"x", 1, "field version"), (b"1::u:h:32:", 2, "packet number is empty"),
        (b"1:1x:u:h:32:", 3, "0x78 is no digit"), (b"1:1:u:h:-3:", 8, "command is not"),
        (b"1:1:u:h:4294967296:", 8, "larger than 4294967295"), (b"IP2:3d:x:Z", 0, "IPDict"),
        (VEC["D06"], 0, "folder being downloaded"), (b"\x02" + bytes(40), 0, "IpMsg.Net"),
    ]
    for raw, at, why in rows:
        r = coo("--json", "-", stdin=raw)
        check(r.returncode == 1, "fault", raw, r.returncode)
        if raw:
            e = events(r, "malformed")[0]
            check(e["offset"] == at and why in e["reason"], "fault", raw, e)


def all_vectors():
    for name, raw in list(VEC.items()) + list(REAL.items()):
        for cs in "auto", "cp932":
            r = coo("--json", "-v", "--charset", cs, "-", stdin=raw)
            check(r.returncode in (0, 1) and not r.stderr, name, r.returncode, r.stderr)
            shown = events(r, "packet") + events(r, "malformed")
            check(len(shown) == 1 and bytes.fromhex(shown[0]["hex"]) == raw, name, shown)
        t = coo("-", stdin=raw)
        check(t.returncode == r.returncode, name, t.returncode)
        control = [c for c in t.stdout if (c < 32 and c not in (9, 10)) or c == 127]
        check(not control, name, "control bytes reach the terminal", control)


def json_fields():
    e = events(coo("--json", VEC["H01"].hex()), "packet")[0]
    check(e["client"] == "shiyeline" and e["group"] == "内网通联系人" and e["charset"] == "GBK"
          and e["user_id"] == "8230388ba2118a489b83c45b03a866c4", "H01", e)
    e = events(coo("--json", VEC["G05"].hex()), "packet")[0]
    check(e["feiq"]["avatar_size"] == "1944" and e["nick"] == "董琳琳DT-DTG4", "G05", e)
    e = events(coo("--json", VEC["D04"].hex()), "packet")[0]
    check(e["offer"]["as_hex"] == "1783728200" and e["offset"] == 0, "D04", e)
    e = events(coo("--json", VEC["F01"].hex()), "packet")[0]
    check(e["form"] == "ipdict" and e["entries"][1] == {"key": "key2", "value": "str1"}, "F01", e)
    e = events(coo("--json", "1:1:u:h:2147483680:x"), "packet")[0]
    check(e["unknown_flags"] == "0x80000000" and e["flags"] == [], "unknown bit", e)
    recorded = {"01/13": "回复：收到\n第二行 🎉", "27/5": "你好官方，来自iptux", "27/7": "你好iptux，来自官方",
                "27/145": "官方附件"}
    for frame, text in recorded.items():
        e = events(coo("--json", REAL[frame].hex()), "packet")[0]
        check(e["text"] == text and e["replacements"] == 0, frame, e)
    for cs in "gbk", "utf-8":
        e = events(coo("--json", "-", stdin=SEED.encode(cs)), "packet")[0]
        check(e["user"] == "吴彦祖" and e["host"] == "吴彦祖-pc" and e["text"] == "haha"
              and e["charset"] == cs.upper() and e["packet_no"] == "123123", "seed", cs, e)


def forms_of_input(tmp):
    raw = VEC["A01"]
    want = coo(raw.hex()).stdout.decode()
    expect("upper case", coo(raw.hex().upper()), 0, want)
    expect("colons", coo(raw.hex(":")), 0, want)
    expect("0x", coo(",".join("0x%02x" % b for b in raw)), 0, want)
    expect("words", coo(*raw.hex(" ").split()), 0, want)
    expect("typed", coo(raw.decode()), 0, want)
    expect("stdin raw", coo(stdin=raw), 0, want)
    expect("stdin hex", coo("-", stdin=raw.hex(" ", 4).encode() + b"\n"), 0, want)
    for name, content in ("raw", raw), ("hex", b"# two\n\n" + raw.hex().encode() + b"\r\n"):
        path = os.path.join(tmp, name)
        with open(path, "wb") as f:
            f.write(content)
        expect(name, coo(path), 0, want)
    two = raw.hex().encode() + b"\n" + b"00\n" + raw.hex().encode() + b"\n"
    r = coo("--json", stdin=two)
    check(r.returncode == 0 and len(events(r, "packet")) == 2 and len(events(r, "malformed")) == 1, "lines")


def exit_codes(tmp):
    expect("not hex", coo("nonsense"), 2, "", 'neither a file that exists nor hex')
    expect("odd hex", coo("313"), 2, "", "neither")
    expect("charset", coo("--charset", "utf-16", "31"), 2, "", "no character set")
    expect("option", coo("--nonsense"), 2, "")
    expect("port", coo("-p", "70000", "31"), 2, "")
    expect("folder", coo(tmp), 4, "", "cannot read")
    expect("nothing is a packet", coo("00ff"), 1)
    expect("nothing at all", coo(os.devnull), 1)


# --- captures ---------------------------------------------------------------------------------------


def ipv4(payload, proto=17, ident=7, offset=0, more=False, src="10.0.0.1", dst="10.0.0.2"):
    a, b = (bytes(map(int, x.split("."))) for x in (src, dst))
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), ident, offset // 8 | (more << 13), 64, proto, 0) \
        + a + b + payload


def udp(payload, sport=2425, dport=2425):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(payload, sport=40000, dport=2425):
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, 0x18, 1000, 0, 0) + payload


def ipv6(payload, proto=17, extra=b""):
    first = 60 if extra else proto
    head = bytes([proto, 0, 1, 4, 0, 0, 0, 0]) if extra else b""
    body = head + payload
    return struct.pack(">IHBB", 6 << 28, len(body), first, 64) + bytes(15) + b"\x01" + bytes(15) + b"\x02" + body


def ether(ip, tag=b""):
    kind = b"\x86\xdd" if ip[0] >> 4 == 6 else b"\x08\x00"
    return bytes(12) + tag + kind + ip


def pcap(frames, link=1, order="<", magic=0xA1B2C3D4, cut=None):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for f in frames:
        kept = f[:cut]
        fraction = 250000000 if magic == 0xA1B23C4D else 250000
        out += struct.pack(order + "IIII", 1783728000, fraction, len(kept), len(f)) + kept
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(frames, link=1, order="<", resolution=9):
    out = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    option = struct.pack(order + "HHB3xI", 9, 1, resolution, 0)
    out += block(order, 1, struct.pack(order + "HHI", link, 0, 0) + option)
    units = 1783728000250000000 if resolution == 9 else (1783728000 << 10) + 256
    for f in frames:
        head = struct.pack(order + "IIIII", 0, units >> 32, units & 0xFFFFFFFF, len(f), len(f))
        out += block(order, 6, head + f)
    return out


def capture(what, data, texts, stderr="", *args):
    r = coo("--json", *args, stdin=data)
    got = [e.get("text") for e in events(r, "packet")]
    check(got == texts, what, got, r.stderr.decode())
    check(stderr in r.stderr.decode(), what, r.stderr.decode())
    return events(r, "packet") + events(r, "malformed")


def message(text, number=1):
    return b"1:%d:u:h:32:%s\0" % (number, text)


def captures():
    ip = ipv4(udp(message(b"hi")))
    forms = {
        "ethernet": pcap([ether(ip)]), "big endian": pcap([ether(ip)], order=">"),
        "nanoseconds": pcap([ether(ip)], magic=0xA1B23C4D), "vlan": pcap([ether(ip, b"\x81\x00\0\x05")]),
        "cooked": pcap([bytes(14) + b"\x08\0" + ip], 113), "cooked 2": pcap([b"\x08\0" + bytes(18) + ip], 276),
        "raw": pcap([ip], 101), "loopback": pcap([b"\x02\0\0\0" + ip], 0), "pcapng": pcapng([ether(ip)]),
        "pcapng big endian": pcapng([ether(ip)], order=">"), "pcapng 2^-10 s": pcapng([ether(ip)], resolution=0x8A),
        "two sections": pcapng([]) + pcapng([ether(ip)], order=">"), "padded": pcap([ether(ip) + bytes(18)]),
    }
    for what, data in forms.items():
        for e in capture(what, data, ["hi"]):
            check((e["from"], e["to"], e["transport"], e["frame"]) ==
                  ("10.0.0.1:2425", "10.0.0.2:2425", "udp", 1), what, e)
            check(e["time"] == "2026-07-11T00:00:00.250+00:00", what, e["time"])
    six = capture("ipv6", pcap([ether(ipv6(udp(message(b"6"))))]), ["6"])
    check(six[0]["from"] == "[::1]:2425", "ipv6", six)
    capture("ipv6 extension", pcap([ether(ipv6(udp(message(b"6")), extra=b"x"))]), ["6"])
    other = pcap([ether(ipv4(udp(b"1:1:u:h:32:x", 5, 6)))])
    capture("other port", other, [], "-p 0")
    capture("all ports", other, ["x"], "", "-p", "0")
    request = b"1:5:u:h:96:1:0:0:\0"
    capture("tcp", pcap([ether(ipv4(tcp(d), 6)) for d in (b"", request, b"data of a file")]), ["1:0:0:"])
    capture("malformed datagram", pcap([ether(ipv4(udp(b"junk"))), ether(ip)]), ["hi"])
    capture("cut by the capture", pcap([ether(ip)], cut=52), [""])
    capture("link type", pcap([ip], 147), [], "link type 147")


def fragments():
    whole = udp(message(b"x" * 3000))
    parts = [ether(ipv4(whole[i:i + 1000], offset=i, more=i + 1000 < len(whole)))
             for i in range(0, len(whole), 1000)]
    text = "x" * 3000
    capture("fragments", pcap(parts), [text])
    capture("backwards", pcap(parts[::-1]), [text])
    capture("one missing", pcap(parts[:1] + parts[2:]), [], "fragments are missing")
    capture("overlap", pcap([parts[0], parts[0]] + parts[1:]), [], "fragments are missing")
    many = [ether(ipv4(bytes(8), ident=i, more=True)) for i in range(1000)]
    capture("a flood of first fragments", pcap(many + parts), [text], "datagrams are not whole")
    capture("beyond 64 KiB", pcap([ether(ipv4(bytes(64), offset=65528, more=False))]), [], "not whole")


def damaged_captures():
    ok = [pcap([ether(ipv4(udp(message(b"hi"))))] * 2), pcapng([ether(ipv4(udp(message(b"hi"))))] * 2)]
    for data in ok:
        for n in range(0, len(data)):
            r = coo("--json", stdin=data[:n]) if n % 7 == 0 else None
            check(r is None or r.returncode in (0, 1, 4), "cut at", n, r)
        r = coo("--json", stdin=data[:-1])
        check(r.returncode == 0 and b"damaged or cut off at byte" in r.stderr, "last byte", r.stderr)
        for i in range(0, len(data), 5):
            r = coo("--json", stdin=data[:i] + b"\xff" + data[i + 1:])
            check(r.returncode in (0, 1, 4), "byte", i, r)
    expect("only a head", coo(stdin=b"\xd4\xc3\xb2\xa1"), 4, "", "none that can be read")


def main():
    with tempfile.TemporaryDirectory() as tmp:
        exact_text()
        faults()
        all_vectors()
        json_fields()
        forms_of_input(tmp)
        exit_codes(tmp)
    captures()
    fragments()
    damaged_captures()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
