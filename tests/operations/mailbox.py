"""A mail server on the loopback address that keeps what it is handed. As much SMTP as a letter needs."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes
from email.message import Message
from email.policy import default

from runtime.ports import LOOPBACK


class _Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self) -> None:
        self.say("220 mailbox")
        while line := self.rfile.readline():
            match line.split(maxsplit=1)[0].upper() if line.strip() else b"":
                case b"EHLO" | b"HELO" | b"MAIL" | b"RCPT" | b"NOOP" | b"RSET":
                    self.say("250 ok")
                case b"DATA":
                    self.say("354 go on")
                    self.server.letters.append(message_from_bytes(self.letter(), policy=default))
                    self.say("250 kept")
                case b"QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("500 what?")

    def letter(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)


class Mailbox(socketserver.ThreadingTCPServer):
    """`with Mailbox() as mailbox:` listens on `mailbox.port` and collects `mailbox.letters`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Session)
        self.port: int = self.server_address[1]
        self.letters: list[Message] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *details: object) -> None:
        self.shutdown()
        super().__exit__(*details)
