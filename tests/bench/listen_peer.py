# SPDX-License-Identifier: MIT
"""What bench_listen compares coo with: listen_peer.py bare|same|send PORT."""
import json
import socket
import sys
import time


def bare(sock):
    """recvfrom and nothing else; every 64th datagram is answered, so that the sender goes on."""
    seen = 0
    while True:
        _, source = sock.recvfrom(65535)
        seen += 1
        if seen % 64 == 0:
            sock.sendto(b"1:1:b:b:33:0", source)


def same(sock):
    """What coo listen --json does, as plainly as one writes it."""
    seen = set()
    while True:
        raw, source = sock.recvfrom(65535)
        version, no, user, host, command, ext = raw.split(b":", 5)
        command = int(command)
        if command & 0x100:
            sock.sendto(b"1:1:b:b:33:%s\0" % no, source)
        key = (source, user, host, no, ext)
        if key in seen:
            continue
        seen.add(key)
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        print(json.dumps({
            "type": "message", "time": now, "packet_no": no.decode(),
            "peer": {"addr": source[0], "port": source[1], "user": user.decode("gb18030", "replace"),
                     "host": host.decode("gb18030", "replace"), "nick": "", "group": "",
                     "client": "unknown", "version": version.decode("ascii", "replace"),
                     "charset": "GBK", "absent": False, "last_heard": None},
            "text": ext.rstrip(b"\0").decode("gb18030", "replace"), "charset": "GBK",
            "replacements": 0, "command": command,
            "flags": ["sendcheck"] if command & 0x100 else [], "broadcast": False, "sealed": False,
            "encrypted": False, "files": []}, ensure_ascii=False))


def send(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.sendto(b"1:%d:python:host:288:hello\0" % time.time(), ("127.0.0.1", port))
    sock.recvfrom(65535)
    print("acked")


def main():
    mode, port = sys.argv[1], int(sys.argv[2])
    if mode == "send":
        send(port)
        return
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("127.0.0.1", port))
    (bare if mode == "bare" else same)(sock)


main()
