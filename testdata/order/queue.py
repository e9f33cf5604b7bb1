import asyncio
from virtual import log, run


async def get(q, name):
    log(f"{name} gets")
    log(f"{name} got {await q.get()}")


async def put(q, v):
    await q.put(v)
    log(f"put {v}")


async def main():
    q = asyncio.Queue(1)
    ts = [asyncio.create_task(get(q, n)) for n in "abc"]
    await asyncio.sleep(0)
    q.put_nowait(1)
    log(f"barged {q.get_nowait()}")
    await asyncio.sleep(0)
    for v in (2, 3, 4):
        ts.append(asyncio.create_task(put(q, v)))
    for t in ts:
        await t
    p = [asyncio.create_task(put(q, v)) for v in (5, 6, 7)]
    await asyncio.sleep(0)
    log(f"took {q.get_nowait()}")
    q.put_nowait(8)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for _ in range(3):
        log(f"main got {await q.get()}")
    for t in p:
        await t

run(main)
