import os
from real import log, pipe, run, turn


async def main(loop):
    pipes = {name: pipe() for name in "abcd"}

    def reader(name):
        def call():
            log(f"{name} reads {os.read(pipes[name][0], 9).decode()!r}")
        return call

    for name in "dcba":
        loop.add_reader(pipes[name][0], reader(name))
    await turn(1)
    log("nothing yet")
    for name in "cadb":  # the order in which they get ready is the order of the calls
        os.write(pipes[name][1], name.encode())
    loop.call_soon(log, "soon")
    loop.call_later(0, log, "timer")
    await turn(3)

    def again():  # called each turn, until there is nothing left
        log(f"again {os.read(pipes['a'][0], 1).decode()!r}")
    loop.add_reader(pipes["a"][0], again)
    os.write(pipes["a"][1], b"123")
    await turn(5)

    def lazy():  # called each turn, as it reads nothing
        log("lazy")
    loop.add_reader(pipes["b"][0], lazy)
    os.write(pipes["b"][1], b"x")
    await turn(3)
    log(f"removed {loop.remove_reader(pipes['b'][0])}")
    await turn(2)
    log(f"removed {loop.remove_reader(pipes['b'][0])}")

    # Again in the order in which they get ready.
    loop.add_reader(pipes["b"][0], reader("b"))
    await turn(2)
    for name in "cb":
        os.write(pipes[name][1], b"1")
    await turn(2)
    for name in "bc":
        os.write(pipes[name][1], b"2")
    await turn(2)
    for name in "dcb":
        os.write(pipes[name][1], b"3")
    await turn(2)
    for name in "abcd":
        os.close(pipes[name][1])
    await turn(2)  # the end is reported each turn
    for name in "abcd":
        log(f"removed {name} {loop.remove_reader(pipes[name][0])}")
    await turn(2)

run(main)
