#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small FTP server, and a client that fetches one file.

ftp.py serve ADDRESS NAME             port 21; says "ready"; every file is 20,000 bytes that begin with NAME
ftp.py fetch ADDRESS active|passive   prints NAME and the length of what came; exit 0 if it came whole
"""
import ftplib
import socket
import sys
import threading

SIZE = 20000


class Session:
    def __init__(self, control, name):
        self.control = control
        self.name = name
        self.listener = None
        self.active = None

    def say(self, line):
        self.control.sendall(line.encode() + b"\r\n")

    def listen(self):
        self.listener = socket.create_server((self.control.getsockname()[0], 0), family=self.control.family)
        return self.listener.getsockname()[1]

    def data(self):
        if self.active:
            source = (self.control.getsockname()[0], 20)
            data = socket.socket(self.control.family)
            data.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            data.bind(source)
            data.connect(self.active)
            return data
        self.listener.settimeout(5)
        return self.listener.accept()[0]

    def command(self, verb, argument):
        if verb == "PASV":
            port = self.listen()
            address = self.control.getsockname()[0].replace(".", ",")
            self.say(f"227 Entering Passive Mode ({address},{port // 256},{port % 256}).")
        elif verb == "EPSV":
            self.say(f"229 Entering Extended Passive Mode (|||{self.listen()}|)")
        elif verb == "PORT":
            n = argument.split(",")
            self.active = (".".join(n[:4]), int(n[4]) * 256 + int(n[5]))
            self.say("200 PORT command successful.")
        elif verb == "EPRT":
            parts = argument.split(argument[0])
            self.active = (parts[2], int(parts[3]))
            self.say("200 EPRT command successful.")
        elif verb == "RETR":
            self.say("150 Opening data connection.")
            data = self.data()
            data.sendall(self.name.encode().ljust(SIZE, b"."))
            data.close()
            self.say("226 Transfer complete.")
        elif verb == "QUIT":
            self.say("221 Goodbye.")
            return False
        elif verb in ("USER", "PASS", "TYPE"):
            self.say({"USER": "331 Password?", "PASS": "230 Welcome.", "TYPE": "200 Fine."}[verb])
        else:
            self.say("502 Not here.")
        return True

    def run(self):
        lines = self.control.makefile("r", newline="\r\n")
        self.say("220 ready")
        for line in lines:
            verb, _, argument = line.strip().partition(" ")
            if not self.command(verb.upper(), argument):
                break
        self.control.close()


def serve(address, name):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.create_server((address, 21), family=family)
    print("ready", flush=True)
    while True:
        session = Session(server.accept()[0], name)
        threading.Thread(target=session.run, daemon=True).start()


def fetch(address, how):
    got = bytearray()
    ftp = ftplib.FTP(timeout=5)
    ftp.connect(address, 21)
    ftp.login()
    ftp.set_pasv(how == "passive")
    ftp.retrbinary("RETR file", got.extend)
    ftp.quit()
    print(got.rstrip(b".").decode(), len(got))
    return 0 if len(got) == SIZE else 1


if sys.argv[1] == "serve":
    serve(sys.argv[2], sys.argv[3])
sys.exit(fetch(sys.argv[2], sys.argv[3]))
