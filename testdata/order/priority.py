import asyncio
from virtual import log, run


async def get(q, name):
    log(f"{name} got {await q.get()}")


async def put(q, v):
    await q.put(v)
    log(f"put {v}")


async def kind(q):
    ts = [asyncio.create_task(get(q, n)) for n in "ab"]
    await asyncio.sleep(0)
    for v in (3, 1, 2):
        q.put_nowait(v)
    for t in ts:
        await t
    ts = [asyncio.create_task(put(q, v)) for v in (9, 7, 8, 6, 5)]
    await asyncio.sleep(0)
    log(f"took {q.get_nowait()}")
    await asyncio.sleep(0)
    for _ in range(5):
        log(f"main got {await q.get()}")
    for t in ts:
        await t


async def main():
    log("priority")
    await kind(asyncio.PriorityQueue(3))
    log("last in, first out")
    await kind(asyncio.LifoQueue(3))

run(main)
