#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo talk: half-close, errors in words, ends and exit codes, pipes, repeating, answers by a
program."""
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402
import talk  # noqa: E402

step = lab.Steps()


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


with step("half-close: the end of standard input reaches the server, its answer comes after it"):
    def after_the_end(s):
        conn, _ = s.accept()
        with conn:
            conn.sendall(str(len(talk.receive_all(conn))).encode())
    server = talk.Server(after_the_end)
    code, out, _ = talk.run(f"tcp://127.0.0.1:{server.port}", stdin=b"x" * 100000)
    server.join()
    assert (code, out) == (0, b"100000"), (code, out)

with step("half-close: the peer closes its side, coo says so and goes on sending"):
    got = []

    def end_first(s):
        conn, _ = s.accept()
        with conn:
            conn.shutdown(socket.SHUT_WR)
            got.append(talk.receive_all(conn))
    server = talk.Server(end_first)
    coo = talk.Talk("-v", f"tcp://127.0.0.1:{server.port}", listen=False, stdin=subprocess.PIPE)
    coo.expect_err("peer closed its side")
    coo.send(b"still here")
    coo.process.stdin.close()
    assert coo.wait() == 0
    server.join()
    assert got == [b"still here"], got

with step("half-close: a client that ends first gets its answers from a coo server"):
    coo = talk.Talk("tcp://:0", "--reply", "echo")
    with talk.connect(coo.port) as s:
        s.sendall(b"y" * 3000000)
        s.shutdown(socket.SHUT_WR)
        assert talk.receive_all(s) == b"y" * 3000000
    assert coo.stop() == 0

with step("refused in words, exit 1"):
    code, _, err = talk.run(f"tcp://127.0.0.1:{closed_port()}")
    assert code == 1 and "refused: nothing listens" in err, (code, err)

with step("reset in words, exit 1"):
    def reset(s):
        conn, _ = s.accept()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
    server = talk.Server(reset)
    coo = talk.Talk(f"tcp://127.0.0.1:{server.port}", listen=False, stdin=subprocess.PIPE)
    assert coo.wait() == 1
    coo.expect_err("reset by the peer")
    server.join()

with step("a connection that nobody answers times out in words"):
    with socket.socket() as s:  # a full backlog drops what comes
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        port = s.getsockname()[1]
        fill = []
        for _ in range(4):
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex(("127.0.0.1", port))
            fill.append(c)
        began = time.monotonic()
        code, _, err = talk.run("--timeout", "300ms", f"tcp://127.0.0.1:{port}")
        assert code == 1 and "timed out" in err, (code, err)
        assert 0.25 < time.monotonic() - began < 10

with step("unreachable in words, exit 4"):
    lone = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*lone, "true"], capture_output=True, check=False).returncode == 0:
        done = subprocess.run([*lone, talk.COO, "talk", "tcp://10.9.8.7:7"], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=talk.WAIT, check=False)
        assert done.returncode == 4 and b"unreachable: there is no route" in done.stderr, done

with step("a port in use is named, exit 4; after a restart it binds at once"):
    coo = talk.Talk("tcp://:0", "--reply", "echo")
    code, _, err = talk.run(f"tcp://:{coo.port}")
    assert code == 4 and "in use" in err, (code, err)
    with talk.connect(coo.port) as s:
        s.sendall(b"x")
        assert s.recv(10) == b"x"
        assert coo.stop() == 0  # the server closes first: its side stays in TIME_WAIT
        assert s.recv(10) == b""
    again = talk.Talk(f"tcp://:{coo.port}", "--reply", "echo")
    with talk.connect(again.port) as s:
        s.sendall(b"y")
        assert s.recv(10) == b"y"
    assert again.stop() == 0

with step("usage errors exit 2 and name the cure"):
    for args, words in (((), "needs a target"), (("10.0.0.7:1",), "udp:// or tcp://"),
                        (("tcp://*:80",), "no broadcast"), (("tcp://::1:80",), "brackets"),
                        (("udp://h:0",), "port 0"), (("--charset", "utf-16", "udp://h:1"), "ASCII"),
                        (("--frame", "len24", "udp://h:1"), "len32le"),
                        (("--once", "--count", "2", "udp://h:1"), "only one"),
                        (("--bind", "here", "udp://127.0.0.1:1"), "address of this host"),
                        (("--reply", "exec:", "tcp://:0"), "behind exec:")):
        code, out, err = talk.run(*args)
        assert code == 2 and words in err and out == b"", (args, code, err)

with step("a name that is not known, exit 2"):
    code, _, err = talk.run("tcp://no-such-host.invalid:80")
    assert code == 2 and "is not known" in err, (code, err)

with step("--once and --wait: nothing came, exit 1"):
    server = talk.Server(lambda s: s.recvfrom(100), socket.SOCK_DGRAM)
    began = time.monotonic()
    code, out, _ = talk.run("--once", "--wait", "300ms", f"udp://127.0.0.1:{server.port}", "hi")
    assert (code, out) == (1, b"") and time.monotonic() - began < 10
    server.join()

with step("--count: fewer came, exit 1"):
    server = talk.Server(lambda s: s.sendto(b"1", s.recvfrom(100)[1]), socket.SOCK_DGRAM)
    code, out, _ = talk.run("--count", "2", "--wait", "300ms",
                            f"udp://127.0.0.1:{server.port}", "hi")
    server.join()
    assert (code, out) == (1, b"1\n"), (code, out)

with step("--once over TCP ends after the answer though the server keeps the connection"):
    def stay(s):
        conn, _ = s.accept()
        conn.sendall(conn.recv(100))
        talk.receive_all(conn)
        conn.recv(1)
    server = talk.Server(stay)
    code, out, _ = talk.run("--once", "--wait", "5s", f"tcp://127.0.0.1:{server.port}",
                            stdin=b"hello")
    server.join()
    assert (code, out) == (0, b"hello"), (code, out)

with step("--repeat sends as often as asked"):
    got = []
    server = talk.Server(lambda s: got.extend(s.recv(9) for _ in range(6)), socket.SOCK_DGRAM)
    code, _, _ = talk.run("--repeat", "3", "--interval", "5ms", f"udp://127.0.0.1:{server.port}",
                          stdin=b"a\nb\n")
    server.join()
    assert code == 0 and got == [b"a", b"b"] * 3, got

with step("--file over UDP goes in pieces"):
    data, got = os.urandom(5000), []
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        server = talk.Server(lambda s: got.extend(s.recv(9999) for _ in range(5)),
                             socket.SOCK_DGRAM)
        assert talk.run("--file", f.name, f"udp://127.0.0.1:{server.port}")[0] == 0
        server.join()
    assert b"".join(got) == data and max(len(g) for g in got) <= 1024
    code, _, err = talk.run("--file", "/nonexistent/file", "udp://127.0.0.1:9")
    assert code == 4 and "/nonexistent/file" in err, (code, err)

with step("a line that is too long for a datagram is cut, not lost"):
    got = []
    server = talk.Server(lambda s: got.extend(s.recv(70000) for _ in range(2)), socket.SOCK_DGRAM)
    assert talk.run(f"udp://127.0.0.1:{server.port}", stdin=b"x" * 70000)[0] == 0
    server.join()
    assert [len(g) for g in got] == [65507, 70000 - 65507], [len(g) for g in got]

with step("--bind gives the local address and port"):
    got = []
    server = talk.Server(lambda s: got.append(s.recvfrom(9)), socket.SOCK_DGRAM)
    port = closed_port()
    assert talk.run("--bind", f"127.0.0.2:{port}", f"udp://127.0.0.1:{server.port}", "x")[0] == 0
    server.join()
    assert got == [(b"x", ("127.0.0.2", port))], got

with step("IPv6, with brackets"):
    coo = talk.Talk("-l", "tcp://[::1]:0", "--reply", "echo")
    code, out, _ = talk.run(f"tcp://[::1]:{coo.port}", "六")
    assert (code, out.decode()) == (0, "六")
    assert coo.stop() == 0
    coo = talk.Talk("udp://:0", "--reply", "upper")
    code, out, _ = talk.run("--once", f"udp://[::1]:{coo.port}", "six")
    assert (code, out) == (0, b"SIX\n"), (code, out)
    assert coo.stop() == 0

with step("--reply TEXT in a charset, framed"):
    coo = talk.Talk("tcp://:0", "--reply", "收到", "--charset", "gbk", "--frame", "line")
    with talk.connect(coo.port) as s:
        s.sendall(b"a\nb\n")
        assert talk.receive_exactly(s, 10) == "收到\n收到\n".encode("gbk")
    assert coo.stop() == 0

with step("--reply exec: no shell, the frame on stdin, the peer in the environment"):
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "answer me")
        with open(script, "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\nread -r line\nprintf "%s|%s|%s" "$1" "$line" "$COO_PEER"\n')
        os.chmod(script, 0o755)
        coo = talk.Talk("tcp://:0", "--frame", "line", "--reply", f"exec:'{script}' '$(id);x'")
        with talk.connect(coo.port) as s:
            s.sendall(b"one\ntwo\n")
            want = b"$(id);x|one|127.0.0.1\n$(id);x|two|127.0.0.1\n"
            assert talk.receive_exactly(s, len(want)) == want
        assert coo.stop() == 0

with step("--reply exec: a program that is not there is said; many at once stay bounded"):
    coo = talk.Talk("tcp://:0", "--frame", "line", "--reply", "exec:/nonexistent/program")
    with talk.connect(coo.port) as s:
        s.sendall(b"one\n")
        coo.expect_err("No such file")
    assert coo.stop() == 0
    coo = talk.Talk("tcp://:0", "--frame", "line", "--reply", "exec:sleep 30")
    with talk.connect(coo.port) as s:
        s.sendall(b"x\n" * 1000)
        coo.expect_err("too many wait")
        with open(f"/proc/{coo.process.pid}/task/{coo.process.pid}/children",
                  encoding="ascii") as f:
            children = f.read().split()
        assert len(children) <= 8, children
    assert coo.stop() == 0

with step("a closed standard output ends it"):
    def pour(s):
        conn, _ = s.accept()
        with conn:
            try:
                while True:
                    conn.sendall(b"x" * 65536)
            except OSError:
                pass
    server = talk.Server(pour)
    done = subprocess.run(f"'{talk.COO}' talk tcp://127.0.0.1:{server.port} </dev/null | "
                          "head -c 100000 | wc -c", shell=True, capture_output=True,
                          timeout=talk.WAIT, check=True)
    assert done.stdout.strip() == b"100000", done
    server.join()

with step("--reuse-port: two servers share a port; without it the second is refused"):
    first = talk.Talk("tcp://:0", "--reuse-port", "--reply", "echo")
    second = talk.Talk(f"tcp://:{first.port}", "--reuse-port", "--reply", "echo")
    assert talk.run(f"tcp://:{first.port}", "--reply", "echo")[0] == 4
    assert first.stop() == 0 and second.stop() == 0

with step("--keepalive sets the timer of the connection"):
    server = talk.Server(lambda s: talk.receive_all(s.accept()[0]))
    coo = talk.Talk("-v", "--keepalive", "77s", f"tcp://127.0.0.1:{server.port}", listen=False,
                    stdin=subprocess.PIPE)
    coo.expect_err("connected to")
    seen = subprocess.run(["ss", "-tnoH", f"dport = :{server.port}"], capture_output=True,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
                          check=True).stdout.decode()
    assert "timer:(keepalive,1min1" in seen or "timer:(keepalive,77sec" in seen, seen
    coo.process.stdin.close()
    assert coo.wait() == 0
    server.join()

with step("a server's input waits for the next client when the last one has gone"):
    coo = talk.Talk("tcp://:0", "--frame", "line", "-v", stdin=subprocess.PIPE)
    with talk.connect(coo.port) as s:
        coo.send(b"one\n")
        assert talk.receive_exactly(s, 4) == b"one\n"
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    coo.expect_err("reset by the peer")
    coo.send(b"two\n")
    with talk.connect(coo.port) as s:
        assert talk.receive_exactly(s, 4) == b"two\n"
        coo.process.stdin.close()
        assert talk.receive_all(s) == b""
    assert coo.wait() == 0

with step("a server that only receives closes a client's connection when the client has ended"):
    coo = talk.Talk("tcp://:0")
    for text in (b"first", b"second"):
        with talk.connect(coo.port) as s:
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
            assert talk.receive_all(s) == b""
        coo.expect(text)
    assert coo.stop() == 0

with step("the configuration file has a section for it"):
    with tempfile.NamedTemporaryFile("w") as f:
        f.write("[talk]\ncharset = gbk\n")
        f.flush()
        got = []
        server = talk.Server(lambda s: got.append(s.recv(99)), socket.SOCK_DGRAM)
        assert talk.run(f"udp://127.0.0.1:{server.port}", "你", env={"COO_CONFIG": f.name})[0] == 0
        server.join()
        assert got == ["你".encode("gbk")], got

step.done()
