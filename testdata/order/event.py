import asyncio
from virtual import log, run


async def task(e, name):
    await e.wait()
    log(f"{name} saw it, now {e.is_set()}")


async def main():
    e = asyncio.Event()
    ts = [asyncio.create_task(task(e, n)) for n in "ab"]
    await asyncio.sleep(0)
    e.set()
    e.clear()
    ts.append(asyncio.create_task(task(e, "c")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    log("again")
    e.set()
    await e.wait()
    log("a set event does not suspend")
    for t in ts:
        await t

run(main)
