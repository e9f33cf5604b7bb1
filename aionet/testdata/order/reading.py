from real import Told, connect, log, run, turn


async def main(loop):
    # Paused and resumed, both twice.
    t, peer = await connect(Told("a"))
    t.pause_reading()
    t.pause_reading()
    peer.puts("one")
    await turn(3)
    log("paused")
    t.resume_reading()
    t.resume_reading()
    log("resumed")
    await turn(3)
    t.pause_reading()
    t.resume_reading()
    peer.puts("two")
    await turn(3)
    t.resume_reading()
    await turn(2)
    t.pause_reading()
    await turn(2)
    t.resume_reading()
    log("resumed, with nothing to read")
    await turn(2)
    peer.puts("three")
    await turn(3)

    # The end waits as well.
    t.pause_reading()
    peer.puts("four")
    peer.shut()
    await turn(2)
    log("paused at the end")
    t.resume_reading()
    await turn(4)

    # Lost while it is paused.
    t, peer = await connect(Told("b"))
    t.pause_reading()
    peer.puts("unread")
    await turn(1)
    t.close()
    t.resume_reading()
    await turn(3)

    # From inside.
    def later(t):
        t.pause_reading()
        loop.call_soon(t.resume_reading)
    t, peer = await connect(Told("c", made=later))
    peer.puts("one")
    await turn(4)
    t.close()
    await turn(2)
    t, peer = await connect(Told("d", data=lambda t: t.pause_reading()))
    for text in "one", "two":
        peer.puts(text)
        await turn(3)
    for text in "three", "four":
        t.resume_reading()
        peer.puts(text)
        await turn(4)
        log("paused")
    peer.close()
    await turn(2)
    t.resume_reading()
    await turn(4)

    # At once: another callback removed it before its turn.
    t, peer = await connect(Told("e"))
    other, its = await connect(Told("f", data=lambda _: t.pause_reading()))
    its.puts("first")
    peer.puts("second")
    await turn(3)
    t.resume_reading()
    await turn(3)
    its.puts("first")
    peer.puts("second")
    await turn(3)
    t.close()
    other.close()
    await turn(2)

    # In the order in which they get ready, after what was called for before.
    a, pa = await connect(Told("g"))
    b, pb = await connect(Told("h"))
    await turn(2)
    pb.puts("1")
    pa.puts("1")
    loop.call_soon(log, "soon")
    loop.call_later(0, log, "timer")
    await turn(3)
    a.close()
    b.close()
    await turn(2)

run(main)
