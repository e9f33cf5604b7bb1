from real import Told, connect, log, run, turn


async def main(loop):
    # Connected, told of data, of the end, and lost.
    t, peer = await connect(Told("a"))
    await turn(2)
    peer.puts("one")
    await turn(2)
    peer.puts("two ")
    peer.puts("three")
    await turn(3)
    t.write(b"hello")
    peer.gets()
    peer.shut()
    await turn(3)
    peer.gets()

    # What is there before it begins to read, and the end with it: a turn for each.
    p = Told("b")
    connecting = loop.create_task(connect(p))
    await turn(1)
    log("began")
    t, peer = await connecting
    peer.puts("last words")
    peer.close()
    await turn(5)

    t, peer = await connect(Told("early"), early="bird")
    await turn(2)
    peer.close()
    await turn(3)

    # Open after the end, for writing.
    t, peer = await connect(Told("c", eof=lambda t: True))
    peer.shut()
    await turn(4)
    t.write(b"still here")
    peer.gets()
    t.close()
    log("closed")
    peer.gets()
    await turn(2)
    peer.gets()

    # Closed and aborted, again and again: lost once.
    t, peer = await connect(Told("d"))
    t.close()
    t.close()
    t.abort()
    t.write(b"too late")
    t.write_eof()
    log("closed")
    await turn(3)
    peer.gets()
    t, peer = await connect(Told("e"))
    t.abort()
    t.abort()
    t.close()
    log("aborted")
    await turn(3)

    # Closed with something to read.
    t, peer = await connect(Told("f"))
    peer.puts("unread")
    t.close()
    await turn(3)

    # From inside.
    def farewell(t):
        t.write(b"bye")
        t.close()
        log("said bye")
    for event in "made", "data", "eof":
        t, peer = await connect(Told("in " + event, **{event: farewell}))
        if event != "made":
            peer.puts("x")
        if event == "eof":
            peer.shut()
        await turn(4)
        peer.gets()
    t, peer = await connect(Told("in lost", lost=farewell))
    t.abort()
    await turn(3)
    peer.gets()
    t, peer = await connect(Told("g", data=lambda t: t.abort()))
    peer.puts("x")
    peer.close()
    await turn(4)

    # The end of what we write.
    t, peer = await connect(Told("h"))
    t.write(b"all")
    t.write_eof()
    t.write_eof()
    peer.gets()
    peer.gets()
    try:
        t.write(b"more")
    except RuntimeError:
        log("no more")
    peer.puts("answer")
    await turn(2)
    peer.close()
    await turn(3)

    # The other side is gone: to write fails, and to read is the end.
    t, peer = await connect(Told("i"))
    peer.close()
    t.write(b"x")
    log("wrote")
    t.write(b"y")
    await turn(3)
    t, peer = await connect(Told("j", eof=lambda t: True))
    peer.close()
    await turn(3)
    t.write(b"x")
    log("wrote")
    await turn(2)
    t, peer = await connect(Told("k"))
    t.write(b"unread")
    peer.close()
    await turn(3)

run(main)
