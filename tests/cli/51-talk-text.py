#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo talk: text in any charset at every split, invalid bytes, escapes, hex, framing, JSON, log."""
import json
import os
import pty
import re
import socket
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402
import talk  # noqa: E402

step = lab.Steps()


def serve_pieces(pieces):
    """A TCP server that sends each piece by itself, to arrive by itself as far as it can."""
    def serve(s):
        conn, _ = s.accept()
        with conn:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                conn.sendall(piece)
                # the receiver has taken it when it answers; here its ACK is enough of a border
                while conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[24:28] != b"\0" * 4:
                    pass
    return talk.Server(serve)


TEXT = "你好，世界 abc 龙\n"

with step("GBK text split at every byte shows right"):
    wire = TEXT.encode("gbk")
    for cut in range(len(wire) + 1):
        server = serve_pieces([wire[:cut], wire[cut:]])
        code, out, _ = talk.run(f"tcp://127.0.0.1:{server.port}", "--charset", "gbk")
        server.join()
        assert (code, out.decode()) == (0, TEXT), (cut, code, out)

with step("one byte at a time, in four charsets"):
    for charset in ("gbk", "gb18030", "utf-8", "big5"):
        text = TEXT.replace("龙", "龍")
        server = serve_pieces([bytes([b]) for b in text.encode(charset)])
        code, out, _ = talk.run(f"tcp://127.0.0.1:{server.port}", "--charset", charset)
        server.join()
        assert (code, out.decode()) == (0, text), (charset, code, out)

with step("invalid bytes are shown, never lost"):
    server = serve_pieces(["你".encode("gbk") + b"\xff", b"a\xc4", b" b\xba"])
    code, out, _ = talk.run(f"tcp://127.0.0.1:{server.port}", "--charset", "gbk")
    server.join()
    assert (code, out.decode()) == (0, "你\\xffa\\xc4 b\\xba"), (code, out)

with step("without a charset a pipe gets the bytes untouched"):
    data = bytes(range(256)) * 10
    server = serve_pieces([data])
    code, out, _ = talk.run(f"tcp://127.0.0.1:{server.port}")
    server.join()
    assert code == 0 and out == data


def on_terminal(*args, err=talk.subprocess.DEVNULL):
    """Runs coo talk with a terminal as standard output; gives what reached the terminal."""
    parent, child = pty.openpty()
    run = talk.subprocess.Popen([talk.COO, "talk", *args], stdin=talk.subprocess.DEVNULL,
                                stdout=child, stderr=err,
                                env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"})
    os.close(child)
    seen = b""
    try:
        while piece := os.read(parent, 65536):
            seen += piece
    except OSError:  # EIO: the other side has closed
        pass
    assert run.wait(talk.WAIT) == 0
    os.close(parent)
    return seen


EVIL = b"\x1b]0;title\x07\x1b[2J\x9b31m\x08\x08red\xe2\x80\xae\rX"

with step("terminal escapes of the peer do nothing"):
    for args in ((), ("-q",), ("--hex",), ("--charset", "gbk")):
        server = serve_pieces([EVIL + b"\n" + "end".encode()])
        seen = on_terminal(f"tcp://127.0.0.1:{server.port}", *args)
        server.join()
        assert b"red" in seen or b"72 65 64" in seen, seen
        left = seen.replace(b"\r\n", b"")
        assert not re.search(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae", left), (args, seen)

with step("on a terminal each line has a time and a peer"):
    server = serve_pieces(["一\n二\n".encode()])
    seen = on_terminal(f"tcp://127.0.0.1:{server.port}").decode()
    server.join()
    lines = re.findall(r"^\d\d:\d\d:\d\d\.\d{3} < 127\.0\.0\.1:(\d+)  (.)\r?$", seen, re.M)
    assert [(int(p), t) for p, t in lines] == [(server.port, "一"), (server.port, "二")], seen

with step("--hex shows text beside the bytes, a character in the row where it begins"):
    server = serve_pieces([b"0123456789abcde" + "你\x07".encode("gbk")])
    code, out, _ = talk.run("--hex", "--charset", "gbk", "--frame", "none",
                            f"tcp://127.0.0.1:{server.port}")
    server.join()
    assert out.decode() == (
        "  0000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 c4  0123456789abcde你\n"
        "  0010  e3 07" + " " * 45 + ".\n"), out.decode()

with step("--send-hex sends bytes, and refuses what is no hex"):
    got = []
    server = talk.Server(lambda s: got.append(s.recv(100)), socket.SOCK_DGRAM)
    assert talk.run("--send-hex", f"udp://127.0.0.1:{server.port}", "c4 E3,ba:c3 0x00")[0] == 0
    server.join()
    assert got == [b"\xc4\xe3\xba\xc3\x00"], got
    code, _, err = talk.run("--send-hex", "udp://127.0.0.1:9", "c4 e")
    assert code == 2 and "two digits a byte" in err

with step("--eol puts lf or crlf behind each text"):
    for eol, end in (("none", b""), ("lf", b"\n"), ("crlf", b"\r\n")):
        got = []
        server = talk.Server(lambda s: got.extend(s.recv(99) for _ in range(2)), socket.SOCK_DGRAM)
        assert talk.run("--eol", eol, f"udp://127.0.0.1:{server.port}", stdin=b"a\nb")[0] == 0
        server.join()
        assert got == [b"a" + end, b"b" + end], (eol, got)

with step("what a charset lacks is sent as ? and said"):
    got = []
    server = talk.Server(lambda s: got.append(s.recv(100)), socket.SOCK_DGRAM)
    code, _, err = talk.run("--charset", "gbk", f"udp://127.0.0.1:{server.port}", "笑😀")
    server.join()
    assert got == ["笑?".encode("gbk")] and "1 character is not in GBK" in err, (got, err)


def frames_of(framing, wire, *args):
    server = serve_pieces([wire])
    result = talk.run("--frame", framing, *args, f"tcp://127.0.0.1:{server.port}")
    server.join()
    return result


with step("each framing shows whole frames"):
    for framing, wire in (("line", b"ab\r\ncd\n"), ("nul", b"ab\0cd\0"),
                          ("len32le", b"\2\0\0\0ab\2\0\0\0cd"),
                          ("len32be", b"\0\0\0\2ab\0\0\0\2cd"),
                          ("len16le", b"\2\0ab\2\0cd"), ("len16be", b"\0\2ab\0\2cd")):
        code, out, _ = frames_of(framing, wire)
        assert (code, out) == (0, b"ab\ncd\n"), (framing, out)

with step("an absurd length is said and nothing is withheld"):
    code, out, err = frames_of("len32be", b"\0\0\0\1zHTTP/1.1 200 OK")
    assert out == b"z\nHTTP/1.1 200 OK", out
    assert "1213486160 bytes is absurd" in err, err

with step("a frame that never ends is said and shown"):
    code, out, err = frames_of("len16be", b"\0\5abc")
    assert out == b"\0\5abc" and "not complete: 5 bytes" in err, (out, err)

with step("--json: one object a message, hex where bytes are invalid"):
    server = serve_pieces(["你好".encode("gbk") + b"\xff"])
    code, out, _ = talk.run("--json", "--charset", "gbk", f"tcp://127.0.0.1:{server.port}")
    server.join()
    events = [json.loads(line) for line in out.splitlines()]
    assert events[0]["type"] == "start" and events[0]["command"] == "talk"
    data = [e for e in events if e["type"] == "data"]
    assert len(data) == 1 and data[0]["text"] == "你好\\xff" and data[0]["invalid"] == 1, data
    assert data[0]["hex"] == "c4e3bac3ff" and data[0]["size"] == 5
    assert data[0]["peer"]["port"] == server.port

with step("--log keeps both directions, escaped"):
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        server = talk.Server(lambda s: s.sendto(b"a\x1bb", s.recvfrom(100)[1]), socket.SOCK_DGRAM)
        code, out, _ = talk.run("--log", log, "--once", f"udp://127.0.0.1:{server.port}", "你好")
        server.join()
        with open(log, encoding="utf-8") as f:
            lines = f.read().splitlines()
        assert len(lines) == 2, lines
        assert re.fullmatch(r"\S+T\S+ > 127\.0\.0\.1:\d+  你好", lines[0]), lines
        assert re.fullmatch(r"\S+T\S+ < 127\.0\.0\.1:\d+  a\\(x1b|u\{1b\})b", lines[1], re.I), lines

with step("bytes that could be GBK are hinted, not guessed"):
    with tempfile.TemporaryFile() as err:
        server = serve_pieces(["你好".encode("gbk")])
        seen = on_terminal(f"tcp://127.0.0.1:{server.port}", err=err).decode()
        server.join()
        err.seek(0)
        assert "\\xc4\\xe3\\xba" in seen and "--charset gbk" in err.read().decode(), seen

assert threading.active_count() < 50
step.done()
