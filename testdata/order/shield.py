import asyncio
from virtual import log, run


async def work(name, steps, fail=None):
    log(f"{name} starts")
    for _ in range(steps):
        await asyncio.sleep(0)
    log(f"{name} ends")
    if fail:
        raise fail
    return name


async def caller(name, steps, fail=None):
    try:
        log(f"caller got {await asyncio.shield(work(name, steps, fail))}")
    except ValueError as e:
        log(f"caller got error {e}")
    except asyncio.CancelledError:
        log("caller cancelled")
        raise


async def main():
    await caller("a", 0)
    await caller("b", 2)
    await caller("c", 1, ValueError("boom"))
    t = asyncio.create_task(caller("d", 3))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    t.cancel()
    log("asked")
    try:
        await t
    except asyncio.CancelledError:
        log("main sees it cancelled")
    for _ in range(4):
        await asyncio.sleep(0)
    log("main goes on")

run(main)
