"""What the programs here share: a transport over a socket pair, whose protocol
logs what it is told, and the other end of the pair, which is a bare socket. The
turns of the loop are counted by a callback that calls itself soon, so that it
never waits.

Each program's output is recorded beside it, from CPython 3.13.0 on Linux, by
    go test ./aionet -run TestOrder -update
"""
import asyncio
import os
import socket

turns = 0


def log(what):
    print(f"{turns} {what}")


async def turn(n):
    for _ in range(n):
        await asyncio.sleep(0)


class Boom(Exception):
    pass


class Told(asyncio.Protocol):
    """A protocol that logs what it is told, and then does what it has in does."""

    def __init__(self, name, **does):
        self.name = name
        self.does = does

    def tell(self, event, what=""):
        log(f"{self.name} {event}{what}")
        if event in self.does:
            return self.does[event](self.transport)

    def connection_made(self, transport):
        self.transport = transport
        self.tell("made")

    def data_received(self, data):
        self.tell("data", f" {data.decode()!r}")

    def eof_received(self):
        return self.tell("eof")

    def connection_lost(self, exc):
        self.tell("lost", f" {type(exc).__name__}")

    def pause_writing(self):
        self.tell("pause")

    def resume_writing(self):
        self.tell("resume")


class Buffered(Told, asyncio.BufferedProtocol):
    """One that reads to memory of its own."""

    def __init__(self, name, size, **does):
        super().__init__(name, **does)
        self.memory = bytearray(size)

    def get_buffer(self, sizehint):
        self.tell("buffer", f" {sizehint}")
        return self.memory

    def buffer_updated(self, nbytes):
        self.tell("updated", f" {self.memory[:nbytes].decode()!r}")


class Peer:
    """The other end."""

    def __init__(self, sock):
        self.sock = sock

    def puts(self, text):
        self.sock.send(text.encode())

    def gets(self, size=65536):
        """Logs what has come."""
        try:
            text = self.sock.recv(size).decode()
            log(f"peer reads {text!r}")
        except BlockingIOError:
            log("peer reads nothing")

    def shut(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def drain(self):
        """Has room made in a transport's socket that was full."""
        rest = full[self]
        while rest:
            rest -= len(self.sock.recv(rest))


full = {}  # how many bytes a full socket was filled with


async def connect(protocol, fill=False, early=""):
    """Has the transport of protocol, and its peer, which has put early before;
    with fill the system takes no more of what the transport writes, before the
    peer drains it."""
    a, b = socket.socketpair()
    a.setblocking(False)
    b.setblocking(False)
    peer = Peer(b)
    peer.puts(early)
    if fill:
        full[peer] = 0
        try:
            while True:
                full[peer] += a.send(b"." * 4096)
        except BlockingIOError:
            pass
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, a)
    log(f"{protocol.name} connected")
    return transport, peer


def size(transport):
    log(f"{transport.get_protocol().name} has {transport.get_write_buffer_size()} to write")


def boom(*_):
    raise Boom


def run(main):
    async def counted():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: log(f"unhandled {type(context['exception']).__name__}"))
        handle = None

        def tick():
            nonlocal handle
            global turns
            turns += 1
            handle = loop.call_soon(tick)
        handle = loop.call_soon(tick)
        await main(loop)
        handle.cancel()
        log("end")
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(counted())
