"""A server for tests of the probe: real TLS behind the preambles, scripted sockets where it has to misbehave.

usage: probe_server.py MODE FOLDER [UPSTREAM]
Prints `PORT n`, and what it hears; FOLDER holds ec-chain.pem and ec.key.
"""
import random
import socket
import ssl
import struct
import sys
import threading

mode, folder = sys.argv[1:3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/ec-chain.pem", folder + "/ec.key")
context.sni_callback = lambda connection, name, context: say(f"NAME {name}")
lock = threading.Lock()
counter = 0


def say(text):
    with lock:
        print(text, flush=True)


def line(peer):
    data = b""
    while not data.endswith(b"\n"):
        byte = peer.recv(1)
        if not byte:
            raise ConnectionError("gone")
        data += byte
    return data.decode().strip()


def linger(peer):
    while peer.recv(65536):
        pass


def tls(peer):
    with context.wrap_socket(peer, server_side=True) as secured:
        try:
            linger(secured)
        except ssl.SSLError:
            pass


def smtp(peer, answer=b"220 2.0.0 go ahead\r\n"):
    peer.sendall(b"220-mail.example\r\n220 ready\r\n")
    assert line(peer).startswith("EHLO ")
    peer.sendall(b"250-mail.example\r\n250-STARTTLS\r\n250 SIZE 1000\r\n")
    assert line(peer) == "STARTTLS"
    peer.sendall(answer)


def imap(peer, answer=b"* CAPABILITY IMAP4rev1\r\na1 OK begin\r\n"):
    peer.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
    assert line(peer) == "a1 STARTTLS"
    peer.sendall(answer)


def pop3(peer, answer=b"+OK begin\r\n"):
    peer.sendall(b"+OK ready\r\n")
    assert line(peer) == "STLS"
    peer.sendall(answer)


def postgres(peer, answer=b"S"):
    assert peer.recv(8, socket.MSG_WAITALL) == bytes.fromhex("0000000804d2162f")
    peer.sendall(answer)


preambles = {"smtp": smtp, "imap": imap, "pop3": pop3, "postgres": postgres}
refusals = {
    "smtp": b"454 4.7.0 TLS not available\r\n", "imap": b"a1 NO not here\r\n", "pop3": b"-ERR not here\r\n",
    "postgres": b"N",
}
injections = {
    "smtp": b"220 go\r\n250 trust me\r\n", "imap": b"a1 OK go\r\n* PREAUTH\r\n", "pop3": b"+OK go\r\n+OK more\r\n",
    "postgres": b"SE",
}


def record(messages):
    return b"\x16\x03\x03" + struct.pack(">H", len(messages)) + messages


def message(kind, body):
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def vector24(data):
    return struct.pack(">I", len(data))[1:] + data


def flight(certificate_list):
    hello = message(2, b"\x03\x03" + bytes(32) + b"\x00" + b"\xc0\x2f" + b"\x00" + b"\x00\x05\xff\x01\x00\x01\x00")
    return record(hello + message(11, vector24(certificate_list)))


def mutated(peer):
    """Between the probe and a real server, with one byte of the server's changed."""
    global counter
    with lock:
        counter += 1
        chance = random.Random(counter)
    upstream = socket.create_connection(("127.0.0.1", int(sys.argv[3])))

    def forward():
        try:
            while data := peer.recv(65536):
                upstream.sendall(data)
        except OSError:
            pass
        finally:
            try:
                upstream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    threading.Thread(target=forward, daemon=True).start()
    place, position = chance.randrange(2500), 0
    while data := upstream.recv(65536):
        data = bytearray(data)
        if position <= place < position + len(data):
            data[place - position] ^= 1 << chance.randrange(8)
        position += len(data)
        peer.sendall(data)


def attend(peer):
    try:
        kind, _, how = mode.partition("-")
        if kind in preambles:
            if how == "refuses":
                preambles[kind](peer, refusals[kind])
                linger(peer)
            elif how == "injects":
                preambles[kind](peer, injections[kind])
                linger(peer)
            else:
                preambles[kind](peer)
                tls(peer)
        elif mode == "tls":
            tls(peer)
        elif mode == "http":
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 400 Bad\x1b[31m Request\r\nServer: plain\r\n\r\n")
        elif mode == "ssh":
            peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            linger(peer)
        elif mode == "silent":
            peer.recv(65536)
            say("HEARD")
            linger(peer)
            say("GONE")
        elif mode == "resets":
            peer.recv(1)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif mode == "closes":
            peer.recv(65536)
        elif mode == "alerts":
            peer.recv(65536)
            peer.sendall(bytes.fromhex("15030300020270"))
        elif mode == "endless_line":
            while True:
                peer.sendall(b"2" * 1000)
        elif mode == "endless_reply":
            while True:
                peer.sendall(b"220-more\r\n")
        elif mode == "endless_records":
            peer.recv(65536)
            while True:
                peer.sendall(record(message(2, b"\x03\x03" + bytes(70)) * 50))
        elif mode == "endless_warnings":
            peer.recv(65536)
            while True:
                peer.sendall(bytes.fromhex("15030300020164") * 100)
        elif mode == "no_certificate":
            peer.recv(65536)
            peer.sendall(flight(b""))
            linger(peer)
        elif mode == "not_der":
            peer.recv(65536)
            peer.sendall(flight(vector24(b"this is no certificate")))
            linger(peer)
        elif mode == "bad_lengths":
            peer.recv(65536)
            peer.sendall(flight(b"\xff\xff\xff123"))
            linger(peer)
        elif mode == "random":
            peer.recv(65536)
            peer.sendall(b"\x16\x03\x03\x40\x00" + random.Random(7).randbytes(0x4000))
            linger(peer)
        elif mode == "mutated":
            mutated(peer)
    except (OSError, AssertionError):
        pass
    finally:
        peer.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=0 if mode == "full" else 1024)
say(f"PORT {listener.getsockname()[1]}")
if mode == "full":
    waiting = []
    for _ in range(3):
        peer = socket.socket()
        peer.setblocking(False)
        peer.connect_ex(listener.getsockname())
        waiting.append(peer)
    say("FULL")
    threading.Event().wait()
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=attend, args=(accepted,), daemon=True).start()
