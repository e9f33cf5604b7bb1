import asyncio
from virtual import log, run


async def task(name):
    log(name)


async def main():
    loop = asyncio.get_running_loop()

    def nested():
        log("b")
        loop.call_soon(log, "b1")
        asyncio.create_task(task("b2"))
        loop.call_soon(log, "b3")
    loop.call_soon(log, "a")
    t = asyncio.create_task(task("t1"))
    loop.call_soon(nested)
    asyncio.create_task(task("t2"))
    h = loop.call_soon(log, "never")
    loop.call_soon(log, "c")
    h.cancel()
    await t
    log("awaited t1")
    await asyncio.sleep(0)
    log("yielded")

run(main)
