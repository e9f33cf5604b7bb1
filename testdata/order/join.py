import asyncio
from virtual import log, run


async def join(q, name):
    await q.join()
    log(f"{name} joined")


did = 0


async def work(q, name):
    global did
    while True:
        v = await q.get()
        log(f"{name} works on {v}")
        await asyncio.sleep(0)
        q.task_done()
        did += 1
        log(f"{name} did {v}")


async def main():
    q = asyncio.Queue()
    await q.join()
    log("nothing to join")
    workers = [asyncio.create_task(work(q, n)) for n in "ab"]
    for v in range(3):
        q.put_nowait(v)
    ts = [asyncio.create_task(join(q, n)) for n in "xy"]
    await q.join()
    log("main joined")
    for t in ts:
        await t

    # What comes between the last task_done and the joiner's turn does not hold it up.
    t = asyncio.create_task(join(q, "z"))
    q.put_nowait(3)
    while did < 4:
        await asyncio.sleep(0)
    q.put_nowait(4)
    log("put another")
    await t
    await q.join()
    for t in workers:
        t.cancel()
    try:
        q.task_done()
    except ValueError:
        log("once too often")

run(main)
