#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# crowd.py PORT: answers whoever connects and says something with his address and port, as lab_server does, as often as
# he does. A process of its own, since thousands of connections need as many descriptors at either end.
import resource
import selectors
import socket
import sys

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
listener = socket.create_server(("", int(sys.argv[1])), backlog=4096)
listener.setblocking(False)
crowd = selectors.DefaultSelector()
crowd.register(listener, selectors.EVENT_READ)
print("ready", flush=True)


def greet():
    while True:
        try:
            client, address = listener.accept()
        except BlockingIOError:
            return
        except ConnectionError:
            continue
        client.setblocking(False)
        crowd.register(client, selectors.EVENT_READ, address)


def answer(client, address):
    try:
        if client.recv(1024):
            client.send(b"%s %d\n" % (address[0].encode(), address[1]))
            return
    except ConnectionError:
        pass
    crowd.unregister(client)
    client.close()


while True:
    for key, _ in crowd.select():
        greet() if key.fileobj is listener else answer(key.fileobj, key.data)
