import os
from real import log, pair, pipe, run, turn


async def main(loop):
    a, b = pair()
    r, w = pipe()

    # One that is ready to be written to is so each turn; of one descriptor the reader comes first.
    def write():
        log("a can be written to")

    def read():
        log(f"a reads {os.read(a, 9).decode()!r}")
    loop.add_writer(a, write)
    await turn(3)
    loop.add_reader(a, read)
    os.write(b, b"hello")
    await turn(3)
    log(f"removed {loop.remove_writer(a)} {loop.remove_writer(a)}")
    os.write(b, b"again")
    await turn(3)

    # The reader removes the writer, and the other way round.
    def read_alone():
        log(f"a reads {os.read(a, 9).decode()!r} alone, removed {loop.remove_writer(a)}")
    loop.add_reader(a, read_alone)
    loop.add_writer(a, write)
    os.write(b, b"x")
    await turn(3)

    def write_once():
        log(f"a can be written to, removed {loop.remove_reader(a)} {loop.remove_writer(a)}")
    loop.add_reader(a, read)
    loop.add_writer(a, write_once)
    os.write(b, b"y")
    await turn(3)

    # A full pipe can't be written to, until somebody reads.
    size = 0
    try:
        while True:
            size += os.write(w, bytes(4096))
    except BlockingIOError:
        pass
    loop.add_writer(w, log, "there is room")
    await turn(3)
    log("full")
    os.read(r, size)
    await turn(2)
    log(f"removed {loop.remove_writer(w)}")

    # The end of the other side wakes both; nobody is left to read what would be written.
    loop.add_reader(a, log, "a is at its end, for who reads")
    loop.add_writer(a, log, "a is at its end, for who writes")
    os.close(b)
    await turn(2)
    log(f"removed {loop.remove_reader(a)} {loop.remove_writer(a)}")
    loop.add_writer(w, log, "w has no reader")
    os.close(r)
    await turn(2)
    log(f"removed {loop.remove_writer(w)}")

run(main)
