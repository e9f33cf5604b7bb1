import asyncio
from virtual import log, run


async def task(s, name, steps):
    await s.acquire()
    log(f"{name} has one")
    for _ in range(steps):
        await asyncio.sleep(0)
    s.release()
    log(f"{name} left")


async def main():
    s = asyncio.Semaphore(2)
    ts = [asyncio.create_task(task(s, n, i)) for i, n in enumerate("abcde")]
    await asyncio.sleep(0)
    await s.acquire()
    log("main has one")
    s.release()
    s.release()
    for t in ts:
        await t
    log("all left")

run(main)
