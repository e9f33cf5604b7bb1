from real import Told, boom, connect, log, run, turn


async def main(loop):
    # Closed or aborted by what is told to resume. CPython ends it twice, and fails at
    # that; aio ends it once, in the next turn.
    t, peer = await connect(Told("a", resume=lambda t: t.close()), fill=True)
    t.set_write_buffer_limits(high=3)
    t.write(b"rest")
    peer.drain()
    await turn(3)
    peer.gets()
    t, peer = await connect(Told("b", resume=lambda t: t.abort()), fill=True)
    t.set_write_buffer_limits(high=3)
    t.write(b"rest")
    peer.drain()
    await turn(3)
    peer.gets()

    # Written to after it was lost. What was closed with something still to write fails
    # in CPython; aio drops it, as both do after any other end.
    t, peer = await connect(Told("c"))
    t.close()
    await turn(3)
    t.write(b"dropped")
    log("wrote")
    t, peer = await connect(Told("d"), fill=True)
    t.write(b"rest")
    t.close()
    peer.drain()
    await turn(3)
    try:
        t.write(b"dropped")
        log("wrote")
    except AttributeError:
        log("a bug")
    peer.gets()

    # Resumed after the end. CPython tells of it again; aio does so once.
    t, peer = await connect(Told("e", eof=lambda t: True))
    peer.shut()
    await turn(3)
    t.pause_reading()
    t.resume_reading()
    await turn(3)
    t.close()
    await turn(2)

    # A task writes, and what is told to pause fails. aio's hooks are never called inside
    # a task, but in the next turn.
    t, peer = await connect(Told("f", pause=boom), fill=True)
    t.set_write_buffer_limits(high=3)
    t.write(b"rest")
    log("wrote")
    await turn(1)
    t.abort()
    await turn(2)

run(main)
