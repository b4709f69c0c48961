#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server that behaves as its path says.  hostile_http.py ADDRESS PORT

Prints "ready" when it listens. One thread for each connection; the tests bound their number.
"""
import socket
import sys
import threading
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def endless(connection, piece):
    while True:
        connection.sendall(piece)


def drip(connection, data):
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


BEHAVIOUR = {
    b"/well": lambda c: c.sendall(HEAD + b"Content-Length: 11\r\n\r\nall is well"),
    b"/late-text": lambda c: c.sendall(HEAD + b"\r\n" + b"x" * 60000 + b"all is well"),
    b"/too-late-text": lambda c: c.sendall(HEAD + b"\r\n" + b"x" * 70000 + b"all is well"),
    b"/endless-body": lambda c: (c.sendall(HEAD + b"\r\n"), endless(c, b"x" * 1000)),
    b"/endless-header": lambda c: (c.sendall(HEAD), endless(c, b"X-More: " + b"x" * 500 + b"\r\n")),
    b"/endless-line": lambda c: (c.sendall(HEAD + b"X-More: "), endless(c, b"x" * 1000)),
    b"/endless-continue": lambda c: endless(c, b"HTTP/1.1 100 Continue\r\n\r\n"),
    b"/garbage": lambda c: c.sendall(bytes(range(256)) * 8),
    b"/old": lambda c: c.sendall(b"all is well"),
    b"/cut": lambda c: c.sendall(b"HTTP/1.1 200 O"),
    b"/drip": lambda c: drip(c, HEAD + b"\r\nall is well"),
    b"/silent": lambda c: time.sleep(5),
    b"/moved": lambda c: c.sendall(b"HTTP/1.1 302 Found\r\nLocation: /well\r\nContent-Length: 0\r\n\r\n"),
    b"/chunk-lie": lambda c: c.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nall"),
}


def serve(connection):
    try:
        request = b""
        while b"\r\n\r\n" not in request and len(request) < 65536:
            more = connection.recv(4096)
            if not more:
                return
            request += more
        BEHAVIOUR[request.split()[1]](connection)
    except OSError:
        pass
    finally:
        connection.close()


def main():
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    listener = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family, backlog=128)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


main()
