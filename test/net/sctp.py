#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# sctp.py serve ADDRESS PORT NAME    answers every message with its name and whom it sees
# sctp.py ask SOURCE ADDRESS PORT N  asks over N associations, one after the other: a line for each answer
# One address at each end: what is in the list of addresses that an INIT carries no translation can change.
import ipaddress
import socket
import sys

IPPROTO_SCTP = 132


def at(address):
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, IPPROTO_SCTP)
    sock.settimeout(10)
    return sock


def serve(address, port, name):
    listener = at(address)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.settimeout(None)
    listener.bind((address, int(port)))
    listener.listen(64)
    print("ready", flush=True)
    while True:
        client, peer = listener.accept()
        while client.recv(1024):
            client.send(f"{name} {peer[0]}\n".encode())
        client.close()


def ask(source, address, port, n):
    for _ in range(int(n)):
        client = at(source)
        client.bind((source, 0))
        client.connect((address, int(port)))
        for _ in range(3):
            client.send(b"who\n")
            answer = client.recv(1024).decode()
        client.close()
        print(answer, end="", flush=True)


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
