"""What the programs here share: real descriptors, watched by an asyncio loop
whose turns are counted by a callback that calls itself soon, so that it never
waits.

Each program's output is recorded beside it, from CPython 3.13.0 on Linux:
    for t in *.trace; do python3.13 "${t%.trace}.py" >"$t"; done
"""
import asyncio
import os
import socket

turns = 0


def log(what):
    print(f"{turns} {what}")


def pipe():
    r, w = os.pipe()
    os.set_blocking(r, False)
    os.set_blocking(w, False)
    return r, w


def pair():
    a, b = socket.socketpair()
    a.setblocking(False)
    b.setblocking(False)
    return a.detach(), b.detach()


async def turn(n):
    for _ in range(n):
        await asyncio.sleep(0)


def run(main):
    async def counted():
        loop = asyncio.get_running_loop()
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
