import asyncio
from virtual import log, run


async def get(q, name):
    try:
        v = await q.get()
        log(f"{name} got {v}")
        q.task_done()
    except asyncio.QueueShutDown:
        log(f"{name} shut down")


async def put(q, v):
    try:
        await q.put(v)
        log(f"put {v}")
    except asyncio.QueueShutDown:
        log(f"put {v} shut down")


async def join(q):
    await q.join()
    log("joined")


async def main():
    # Getters of an empty queue.
    q = asyncio.Queue(2)
    ts = [asyncio.create_task(get(q, n)) for n in "abc"]
    await asyncio.sleep(0)
    q.put_nowait(1)
    q.shutdown()
    log("closed")
    await asyncio.sleep(0)
    ts.append(asyncio.create_task(get(q, "d")))
    for t in ts:
        await t

    # Putters of a full one, and what is left in it.
    q = asyncio.Queue(2)
    ts = [asyncio.create_task(put(q, v)) for v in range(4)]
    await asyncio.sleep(0)
    ts.append(asyncio.create_task(join(q)))
    q.shutdown()
    q.shutdown()
    ts.append(asyncio.create_task(put(q, 4)))
    await asyncio.sleep(0)
    log(f"left {q.qsize()}")
    ts += [asyncio.create_task(get(q, n)) for n in "efg"]
    for t in ts:
        await t
    for what in (q.get_nowait, lambda: q.put_nowait(1)):
        try:
            what()
        except asyncio.QueueShutDown:
            log("shut down")

    # A putter that has got room, and does not run before the end.
    q = asyncio.Queue(1)
    q.put_nowait(0)
    ts = [asyncio.create_task(put(q, v)) for v in (1, 2)]
    await asyncio.sleep(0)
    log(f"took {q.get_nowait()}")
    q.shutdown()
    for t in ts:
        await t

run(main)
