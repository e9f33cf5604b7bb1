import os
from real import log, pipe, run, turn


async def main(loop):
    (a, wa), (b, wb), (c, wc) = pipe(), pipe(), pipe()

    def drain(fd, name):
        log(f"{name} reads {os.read(fd, 9).decode()!r}")

    def both_ready():
        os.write(wa, b"a")
        os.write(wb, b"b")

    # The first removes the second, whose turn has come.
    def first():
        drain(a, "first")
        log(f"removed {loop.remove_reader(b)}")
    loop.add_reader(a, first)
    loop.add_reader(b, drain, b, "never")
    both_ready()
    await turn(3)

    # The first puts another one in the place of the second.
    os.read(b, 9)
    def replaces():
        drain(a, "replaces")
        loop.add_reader(b, drain, b, "the other")
        log("replaced")
    loop.add_reader(a, replaces)
    loop.add_reader(b, drain, b, "never")
    both_ready()
    await turn(4)

    # Removed and added again at once, the second is called in the next turn.
    def again():
        drain(a, "again")
        loop.remove_reader(b)
        loop.add_reader(b, drain, b, "b")
    loop.add_reader(a, again)
    both_ready()
    await turn(4)

    # One removes itself, one puts another one in its own place.
    def once():
        log(f"once, removed {loop.remove_reader(a)}")

    def succeeded():
        log("succeeded")
        loop.add_reader(b, drain, b, "successor")
    loop.add_reader(a, once)
    loop.add_reader(b, succeeded)
    both_ready()
    await turn(4)

    # Added by a callback: first called in the next turn, though it was ready long before.
    os.write(wc, b"c")
    await turn(2)
    loop.call_soon(loop.add_reader, c, drain, c, "c")
    loop.call_soon(log, "after it was added")
    await turn(4)
    for fd in (a, b, c):
        log(f"removed {loop.remove_reader(fd)}")

    # A callback that writes: the reader is called in the next turn, before what is called soon then.
    def writes():
        os.write(wb, b"!")
        loop.call_soon(log, "soon, from the writer")
        loop.call_later(0, log, "timer, from the writer")
        log("wrote")
    loop.add_reader(b, drain, b, "b")
    loop.call_soon(writes)
    await turn(4)
    log(f"removed {loop.remove_reader(b)}")

run(main)
