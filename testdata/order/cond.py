import asyncio
from virtual import log, run


async def waits(cond, name):
    async with cond:
        log(f"{name} waits")
        try:
            await cond.wait()
        except asyncio.CancelledError:
            log(f"{name} cancelled, locked {cond.locked()}")
            raise
        log(f"{name} woke")
        await asyncio.sleep(0)
    log(f"{name} left")


async def waits_for(cond, name, ok):
    async with cond:
        await cond.wait_for(ok)
        log(f"{name} saw it")


async def main():
    cond = asyncio.Condition()
    ts = {n: asyncio.create_task(waits(cond, n)) for n in "abcd"}
    for _ in range(3):
        await asyncio.sleep(0)
    async with cond:
        cond.notify()
        log("notified one")
        await asyncio.sleep(0)
    log("unlocked")
    await ts["a"]
    async with cond:
        cond.notify_all()
        log("notified all")
    for n in "bcd":
        await ts[n]
    log("all left")

    # Who was notified and is cancelled passes it on.
    ts = {n: asyncio.create_task(waits(cond, n)) for n in "efgh"}
    await asyncio.sleep(0)
    async with cond:
        cond.notify()
    ts["e"].cancel()
    await asyncio.wait([ts["f"]])
    log(f"g pending {not ts['g'].done()}")
    # Who was not notified does so, too.
    ts["g"].cancel()
    await asyncio.wait([ts["g"], ts["h"]])

    # A predicate.
    n = 0
    ts = [asyncio.create_task(waits_for(cond, "i", lambda: n > 1)),
          asyncio.create_task(waits_for(cond, "j", lambda: n > 0)),
          asyncio.create_task(waits_for(cond, "k", lambda: n >= 0))]
    for _ in range(3):
        await asyncio.sleep(0)
        async with cond:
            n += 1
            log(f"n is {n}")
            cond.notify_all()
    for t in ts:
        await t

run(main)
