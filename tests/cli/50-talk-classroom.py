#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs of a sockets course, one coo talk line each, in both roles."""
import os
import socket
import struct
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402
import talk  # noqa: E402

step = lab.Steps()
UDP = socket.SOCK_DGRAM


def udp_socket():
    s = socket.socket(socket.AF_INET, UDP)
    s.settimeout(talk.WAIT)
    s.bind(("127.0.0.1", 0))
    return s


# --- UDP echo ---

def udp_echo_server(s):
    data, peer = s.recvfrom(1024)
    s.sendto(data, peer)


with step("UDP echo: coo is the client"):
    server = talk.Server(udp_echo_server, UDP)
    code, out, _ = talk.run("--once", f"udp://127.0.0.1:{server.port}", "你好，回声")
    server.join()
    assert (code, out.decode()) == (0, "你好，回声\n"), (code, out)

with step("UDP echo: coo is the server"):
    coo = talk.Talk("-l", "udp://127.0.0.1:0", "--reply", "echo")
    with udp_socket() as s:
        for text in ("hello", "你好", "x" * 9000):
            s.sendto(text.encode(), ("127.0.0.1", coo.port))
            assert s.recv(65536).decode() == text
    assert coo.stop() == 0

# --- UDP sender and receiver, chat in GB2312 ---

with step("UDP sender: a Python receiver gets one datagram a line"):
    got = []
    server = talk.Server(lambda s: got.extend(s.recvfrom(1024)[0] for _ in range(2)), UDP)
    code, _, _ = talk.run(f"udp://127.0.0.1:{server.port}", "--charset", "gb2312",
                          stdin="第一行\n第二行\n".encode())
    server.join()
    assert code == 0 and [d.decode("gb2312") for d in got] == ["第一行", "第二行"], got

with step("UDP receiver: coo shows what a Python sender sends in GB2312"):
    coo = talk.Talk("udp://:0", "--charset", "gb2312", "--count", "2", "-v")
    with udp_socket() as s:
        s.sendto("今天天气很好".encode("gb2312"), ("127.0.0.1", coo.port))
        s.sendto("再见".encode("gb2312"), ("127.0.0.1", coo.port))
        assert coo.wait() == 0
    assert coo.out.decode() == "今天天气很好\n再见\n", coo.out

with step("UDP chat in GB2312, both ways at once: coo answers who spoke last"):
    coo = talk.Talk("udp://:0", "--charset", "gb2312", "--count", "2", stdin=-1)
    with udp_socket() as s:
        s.sendto("你好".encode("gb2312"), ("127.0.0.1", coo.port))
        coo.expect("你好\n".encode())
        coo.send("我在\n".encode())
        data, peer = s.recvfrom(1024)
        assert data.decode("gb2312") == "我在" and peer[1] == coo.port
        s.sendto("再见".encode("gb2312"), peer)
        assert coo.wait() == 0

# --- TCP client and servers ---

GREETING = "你好，欢迎来到服务器"


def greeting_server(s):
    conn, _ = s.accept()
    with conn:
        conn.sendall(GREETING.encode())


with step("TCP server with a greeting: coo is the client"):
    server = talk.Server(greeting_server)
    code, out, _ = talk.run(f"tcp://127.0.0.1:{server.port}")
    server.join()
    assert (code, out.decode()) == (0, GREETING), (code, out)

with step("TCP server with a greeting: coo is the server"):
    coo = talk.Talk("tcp://:0", GREETING)
    with talk.connect(coo.port) as s:
        assert talk.receive_all(s).decode() == GREETING
    assert coo.wait() == 0


def upper_server(s):
    conn, _ = s.accept()
    with conn:
        while data := conn.recv(1024):
            conn.sendall(data.upper())


with step("upper-case server: coo is the client"):
    server = talk.Server(upper_server)
    code, out, _ = talk.run("--once", "--wait", "5s", f"tcp://127.0.0.1:{server.port}",
                            stdin=b"hello, world")
    server.join()
    assert (code, out) == (0, b"HELLO, WORLD"), (code, out)

with step("upper-case server: coo is the server"):
    coo = talk.Talk("tcp://:0", "--reply", "upper")
    with talk.connect(coo.port) as s:
        s.sendall("hello 你好 straße".encode())
        want = "HELLO 你好 STRAßE".encode()
        assert talk.receive_exactly(s, len(want)) == want
    assert coo.stop() == 0

with step("upper-case server in GBK leaves second bytes alone, at every split"):
    text = "a\u4e57b\u6f22\u5b57\u93b4z".encode("gbk")  # second bytes among them are letters
    want = "A\u4e57B\u6f22\u5b57\u93b4Z".encode("gbk")
    assert any(0x61 <= b <= 0x7a for b in want), "the row has lost its point"
    coo = talk.Talk("tcp://:0", "--reply", "upper", "--charset", "gbk")
    for cut in range(1, len(text)):
        with talk.connect(coo.port) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.sendall(text[:cut])
            first = s.recv(100) if cut > 1 else b""
            s.sendall(text[cut:])
            s.shutdown(socket.SHUT_WR)
            got = first + talk.receive_all(s)
            assert got == want, (cut, got, want)
    assert coo.stop() == 0


def threaded_server(s):
    def one(conn):
        with conn:
            while data := conn.recv(1024):
                conn.sendall("服务器收到：".encode() + data)
    threads = []
    for _ in range(5):
        threads.append(threading.Thread(target=one, args=(s.accept()[0],)))
        threads[-1].start()
    for t in threads:
        t.join()


with step("threaded server: five coo at once"):
    server = talk.Server(threaded_server)
    clients = [talk.Talk(f"tcp://127.0.0.1:{server.port}", f"我是{i}", listen=False)
               for i in range(5)]
    for i, c in enumerate(clients):
        assert c.wait() == 0
        c.expect(f"服务器收到：我是{i}".encode())
    server.join()

with step("threaded server: five Python clients at coo, each gets its own answers"):
    coo = talk.Talk("tcp://:0", "--reply", "exec:tr 0-4 A-E")
    clients = [talk.connect(coo.port) for _ in range(5)]
    for i, s in enumerate(clients):
        s.sendall(b"client %d" % i)
    for i, s in enumerate(clients):
        assert talk.receive_exactly(s, 8) == b"client " + b"ABCDE"[i:i + 1]
        s.close()
    assert coo.stop() == 0

# --- framing against sticky packets: struct 'i' ---


def length_server(s):
    conn, _ = s.accept()
    with conn:
        for _ in range(3):
            n, = struct.unpack("<i", talk.receive_exactly(conn, 4))
            body = talk.receive_exactly(conn, n)
            answer = "收到：".encode() + body
            conn.sendall(struct.pack("<i", len(answer)) + answer)


with step("struct 'i' length-prefix server: coo is the client"):
    server = talk.Server(length_server)
    code, out, _ = talk.run("--frame", "len32le", "--count", "3",
                            f"tcp://127.0.0.1:{server.port}", stdin="一\n二\n三\n".encode())
    server.join()
    assert (code, out.decode()) == (0, "收到：一\n收到：二\n收到：三\n"), (code, out)

with step("struct 'i' length-prefix server: coo is the server, frames sticking together"):
    coo = talk.Talk("tcp://:0", "--frame", "len32le", "--reply", "echo")
    with talk.connect(coo.port) as s:
        frames = b"".join(struct.pack("<i", len(b)) + b for b in (b"one", b"", b"three" * 1000))
        s.sendall(frames)
        assert talk.receive_exactly(s, len(frames)) == frames
    assert coo.stop() == 0

# --- file download ---

FILE = os.urandom(300000)


def download_server(s):
    conn, _ = s.accept()
    with conn:
        assert conn.recv(1024).decode() == "test.bin"
        conn.sendall(FILE)


with step("file download server: coo fetches the file"):
    server = talk.Server(download_server)
    code, out, _ = talk.run(f"tcp://127.0.0.1:{server.port}", "test.bin")
    server.join()
    assert code == 0 and out == FILE

with step("file download server: coo serves the file, raw and with its length before it"):
    with tempfile.NamedTemporaryFile() as f:
        f.write(FILE)
        f.flush()
        coo = talk.Talk("tcp://:0", "--file", f.name)
        with talk.connect(coo.port) as s:
            assert talk.receive_all(s) == FILE
        assert coo.wait() == 0
        coo = talk.Talk("tcp://:0", "--file", f.name, "--frame", "len32be")
        with talk.connect(coo.port) as s:
            assert talk.receive_all(s) == struct.pack(">i", len(FILE)) + FILE
        assert coo.wait() == 0

step.done()
