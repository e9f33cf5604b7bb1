from real import Told, boom, connect, log, run, turn


async def main(loop):
    # What is told of the connection fails: it goes on.
    t, peer = await connect(Told("made", made=boom))
    peer.puts("1")
    await turn(3)
    t.close()
    await turn(3)

    # What is told of data, or of the end, fails: it's lost by that.
    t, peer = await connect(Told("data", data=boom))
    peer.puts("1")
    await turn(3)
    peer.gets()
    t, peer = await connect(Told("data at the end", data=boom), fill=True)
    t.write(b"dropped")
    peer.puts("1")
    peer.shut()
    await turn(4)
    peer.drain()
    peer.gets()
    t, peer = await connect(Told("eof", eof=boom))
    peer.shut()
    await turn(4)

    # What is told of the end of it all fails: it has ended all the same.
    t, peer = await connect(Told("lost", lost=boom))
    t.close()
    await turn(3)
    peer.gets()
    t, peer = await connect(Told("lost after the rest", lost=boom), fill=True)
    t.write(b"rest")
    t.close()
    peer.drain()
    await turn(3)
    peer.gets()
    peer.gets()

    # What is told to pause or to resume fails: nothing happens.
    t, peer = await connect(Told("flow", pause=boom, resume=boom), fill=True)
    t.set_write_buffer_limits(high=3)
    loop.call_soon(t.write, b"rest")
    loop.call_soon(log, "wrote")
    await turn(1)
    peer.drain()
    await turn(3)
    peer.gets()
    t.write(b"more")
    peer.gets()
    t.close()
    await turn(3)

run(main)
