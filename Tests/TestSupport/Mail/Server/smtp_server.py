"""A mail server for tests: aiosmtpd where it will do, scripted sockets where a server has to misbehave.

usage: smtp_server.py MODE FOLDER CERTIFICATE KEY
Prints the port, keeps accepted messages in FOLDER as N.eml (N.env holds the envelope), ends when its input ends.
"""
import asyncio
import os
import socket
import ssl
import sys
import threading
import time

mode, folder, certificate, key = sys.argv[1:5]
counter = 0


def keep(content, sender="", recipients=()):
    global counter
    counter += 1
    with open(os.path.join(folder, f"{counter}.env"), "w") as file:
        file.write("\n".join([sender, *recipients]))
    path = os.path.join(folder, f"{counter}.eml")
    with open(path + ".part", "wb") as file:
        file.write(content)
    os.rename(path + ".part", path)


def tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


# --- aiosmtpd ---------------------------------------------------------------------------------------------------------

class Handler:
    def __init__(self):
        self.greylisted = set()
        self.mails = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if "pipelining" in mode:
            responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.mails += 1
        if mode.startswith("closing") and self.mails == 2:
            server.transport.write(b"421 4.3.2 going down for lunch\r\n")
            server.transport.close()
            return "421 4.3.2 again"
        envelope.mail_from = address
        return "250 2.1.0 sender fine"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such \x1b[31muser"
        if address.startswith("grey@") and address not in self.greylisted:
            self.greylisted.add(address)
            return "450 4.2.0 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient fine"

    async def handle_DATA(self, server, session, envelope):
        if b"too much" in envelope.content:
            return "552 5.2.3 too much for me"
        keep(envelope.content, envelope.mail_from, envelope.rcpt_tos)
        return "250 2.0.0 kept"


def run_aiosmtpd():
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, SMTP

    def authenticate(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (b"user", "pässword".encode())
        return AuthResult(success=good, handled=False)

    options = {"hostname": "127.0.0.1", "port": 0}
    settings = {"enable_SMTPUTF8": False}
    if "starttls" in mode:
        settings.update(tls_context=tls(), require_starttls=True)
    if "auth" in mode:
        settings.update(auth_required=True, authenticator=authenticate, auth_require_tls="starttls" in mode)
    if "login" in mode:
        settings.update(auth_exclude_mechanism=["PLAIN"])
    if "small" in mode:
        settings.update(data_size_limit=1000)
    handler = Handler()

    async def serve():
        context = tls() if "implicit" in mode else None
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(handler, hostname="mail.example", **settings), "127.0.0.1", 0, ssl=context)
        announce(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


# --- scripted ---------------------------------------------------------------------------------------------------------

class Peer:
    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def say(self, text):
        self.connection.sendall(text.encode() if isinstance(text, str) else text)

    def line(self):
        while b"\n" not in self.buffer:
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("peer gone")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode().strip()

    def expect(self, verb):
        line = self.line()
        with open(os.path.join(folder, "heard.txt"), "a") as file:
            file.write(line + "\n")
        assert line.upper().startswith(verb), line

    def hello(self, *offers):
        self.say("220 mail.example\r\n")
        self.expect("EHLO")
        lines = ["mail.example", *offers]
        self.say("".join(f"250{' ' if i == len(lines) - 1 else '-'}{l}\r\n" for i, l in enumerate(lines)))

    def envelope(self):
        for verb in ("MAIL", "RCPT"):
            self.expect(verb)
            self.say("250 fine\r\n")
        self.expect("DATA")
        self.say("354 go on\r\n")

    def body(self):
        content = b""
        while not content.endswith(b"\r\n.\r\n"):
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("peer gone")
            content += data
        return content

    def linger(self):
        while self.connection.recv(65536):
            pass


def injected(peer):
    peer.hello("STARTTLS")
    peer.expect("STARTTLS")
    peer.say("220 go on\r\n250-mail.example\r\n250 AUTH PLAIN\r\n")
    peer.linger()


def injected_late(peer):
    peer.hello("STARTTLS")
    peer.expect("STARTTLS")
    peer.say("220 go on\r\n")
    time.sleep(0.2)
    peer.say("250-mail.example\r\n250 AUTH PLAIN\r\n")
    peer.linger()


def unasked(peer):
    peer.hello("STARTTLS")
    peer.say("220 go on\r\n")
    peer.linger()


def cut_after_data(peer):
    peer.hello()
    peer.envelope()
    peer.body()


def cut_before_data(peer):
    peer.hello()
    peer.expect("MAIL")


def endless_line(peer):
    peer.say("220 ")
    while True:
        peer.say("x" * 1000)


def endless_reply(peer):
    while True:
        peer.say("220-more\r\n")


def not_smtp(peer):
    peer.say("HTTP/1.1 400 Bad Request\r\n\r\n")
    peer.linger()


def silent(peer):
    peer.linger()


def silent_after_data(peer):
    peer.hello()
    peer.envelope()
    peer.linger()


def unwelcome(peer):
    peer.say("554 5.7.1 your kind is not welcome\r\n")
    peer.linger()


def old(peer):
    peer.say("220 mail.example\r\n")
    peer.expect("EHLO")
    peer.say("502 what?\r\n")
    peer.expect("HELO")
    peer.say("250 mail.example\r\n")
    peer.envelope()
    keep(peer.body())
    peer.say("250 kept\r\n")
    peer.linger()


def slow_reader(peer):
    peer.hello()
    peer.envelope()
    content = b""
    while not content.endswith(b"\r\n.\r\n"):
        content += peer.connection.recv(32768)
        time.sleep(0.01)
    keep(content)
    peer.say("250 kept\r\n")
    peer.linger()


def wants_login(peer):
    peer.hello()
    peer.expect("MAIL")
    peer.say("530 5.7.0 Authentication required\r\n")
    peer.linger()


def accepts_empty(peer):
    """Says 354 to a message that nobody is to get, then takes a proper one."""
    peer.hello("PIPELINING")
    for verb, reply in (("MAIL", "250 fine"), ("RCPT", "550 no"), ("DATA", "354 go on")):
        peer.expect(verb)
        peer.say(reply + "\r\n")
    peer.expect(".")
    peer.say("554 nobody to give it to\r\n")
    peer.expect("RSET")
    peer.say("250 fine\r\n")
    peer.envelope()
    keep(peer.body())
    peer.say("250 kept\r\n")
    peer.linger()


def hangs_up_when_idle(peer):
    peer.hello()
    peer.envelope()
    keep(peer.body())
    peer.say("250 kept\r\n")
    peer.say("421 idle for too long\r\n")


def sink(peer):
    """Takes everything, and keeps only a count."""
    peer.hello("PIPELINING", "SIZE 0")
    while True:
        line = peer.line()
        if line == "DATA":
            peer.say("354 go on\r\n")
            while peer.line() != ".":
                pass
        peer.say("250 fine\r\n")


def chunking(peer):
    """Takes messages by BDAT; refuses the recipient nobody@, and messages that say so."""
    peer.hello("PIPELINING", "CHUNKING", "SIZE 100000")
    recipients = []
    while True:
        line = peer.line()
        with open(os.path.join(folder, "heard.txt"), "a") as file:
            file.write(line + "\n")
        if line.startswith("BDAT"):
            count = int(line.split()[1])
            while len(peer.buffer) < count:
                data = peer.connection.recv(65536)
                if not data:
                    raise ConnectionError("peer gone")
                peer.buffer += data
            content, peer.buffer = peer.buffer[:count], peer.buffer[count:]
            if b"cut here" in content:
                return
            if not recipients:
                peer.say("503 nobody to give it to\r\n")
            elif b"full" in content:
                peer.say("452 4.3.1 no room\r\n")
            else:
                keep(content)
                peer.say("250 kept\r\n")
            recipients = []
        elif line.startswith("RCPT"):
            if "nobody@" in line:
                peer.say("550 no such user\r\n")
            else:
                recipients.append(line)
                peer.say("250 fine\r\n")
        else:
            peer.say("250 fine\r\n")


def chunking_once(peer):
    """Gives up the connection after each message, without a word."""
    peer.hello("PIPELINING", "CHUNKING")
    for verb in ("MAIL", "RCPT", "BDAT"):
        line = peer.line()
        assert line.startswith(verb)
    count = int(line.split()[1])
    while len(peer.buffer) < count:
        peer.buffer += peer.connection.recv(65536)
    keep(peer.buffer[:count])
    peer.say("250 fine\r\n250 fine\r\n250 kept\r\n")


def attend(script, connection):
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        script(Peer(connection))
    except (OSError, AssertionError):
        pass
    finally:
        connection.close()


def run_script(script):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    announce(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=attend, args=(script, connection), daemon=True).start()


# ----------------------------------------------------------------------------------------------------------------------

def announce(port):
    print(port, flush=True)


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
script = globals().get(mode.replace("-", "_"))
run_script(script) if callable(script) else run_aiosmtpd()
