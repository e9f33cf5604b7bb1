import asyncio
from virtual import log, run


async def waits(name, f):
    log(f"{name} got {await f}")


async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    asyncio.create_task(waits("a", f))
    await asyncio.sleep(0)
    f.add_done_callback(lambda _: log("callback 1"))
    asyncio.create_task(waits("b", f))
    await asyncio.sleep(0)
    f.add_done_callback(lambda _: log("callback 2"))
    loop.call_soon(log, "before")
    f.set_result(7)
    loop.call_soon(log, "after")
    f.add_done_callback(lambda _: log("callback 3"))
    log("resolved")
    await f
    log("a done future does not suspend")
    await asyncio.sleep(0)
    log("yielded")

run(main)
