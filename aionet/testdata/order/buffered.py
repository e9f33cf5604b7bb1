from real import Buffered, boom, connect, log, run, turn


class Empty(Buffered):
    def get_buffer(self, sizehint):
        super().get_buffer(sizehint)
        return b""


async def main(loop):
    # A buffer is asked for when there is something to read, once for each piece and for the end.
    t, peer = await connect(Buffered("a", 8))
    await turn(3)
    peer.puts("one")
    await turn(2)
    peer.puts("more than fits")
    await turn(4)
    peer.shut()
    await turn(4)

    # As much as fits, and then nothing.
    t, peer = await connect(Buffered("b", 4))
    peer.puts("12345678")
    await turn(4)
    peer.puts("1234")
    peer.close()
    await turn(5)

    # There before it begins to read.
    t, peer = await connect(Buffered("early", 4), early="12345")
    await turn(4)
    peer.close()
    await turn(3)

    # Paused.
    t, peer = await connect(Buffered("c", 3, updated=lambda t: t.pause_reading()))
    peer.puts("12345")
    await turn(4)
    log("paused")
    t.resume_reading()
    await turn(3)
    log("paused")
    t.resume_reading()
    await turn(3)
    t.close()
    t.close()
    await turn(2)

    # Closed by what asks.
    t, peer = await connect(Buffered("d", 3, updated=lambda t: t.close()))
    peer.puts("12345")
    await turn(4)

    # No buffer, or none in which there is room.
    t, peer = await connect(Buffered("e", 3, buffer=boom))
    peer.puts("12345")
    await turn(4)
    t, peer = await connect(Empty("f", 3))
    peer.puts("12345")
    await turn(4)
    t, peer = await connect(Buffered("g", 3, updated=boom))
    peer.puts("12345")
    await turn(4)
    t, peer = await connect(Buffered("h", 3, eof=boom))
    peer.shut()
    await turn(4)

run(main)
