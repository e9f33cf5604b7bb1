import asyncio
from virtual import log, run


async def task(name, f):
    log(f"{name} begins")
    try:
        await f
    except asyncio.CancelledError:
        log(f"{name} cancelled")
        raise


async def forever(name):
    await task(name, asyncio.get_running_loop().create_future())


async def awaited(t):
    try:
        await t
    except asyncio.CancelledError:
        log("main sees it cancelled")


async def main():
    f = asyncio.get_running_loop().create_future()
    a = asyncio.create_task(task("a", f))
    await asyncio.sleep(0)
    a.cancel()
    log("asked")
    await awaited(a)
    b = asyncio.create_task(forever("b"))
    b.add_done_callback(lambda _: log("b done"))
    b.cancel()
    await awaited(b)
    g = asyncio.get_running_loop().create_future()
    c = asyncio.create_task(task("c", g))
    await asyncio.sleep(0)
    g.add_done_callback(lambda _: log("g done"))
    g.cancel()
    await awaited(c)

run(main)
