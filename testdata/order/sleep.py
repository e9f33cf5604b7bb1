import asyncio
from virtual import VirtualLoop, log


async def task(name, d):
    await asyncio.sleep(d)
    log(f"{name} wakes")


async def main():
    loop = asyncio.get_running_loop()
    asyncio.create_task(task("a", 3))
    asyncio.create_task(task("b", 1))
    loop.call_later(2, log, "timer 2")
    h = loop.call_later(2.5, log, "never")
    loop.call_at(loop.time() + 1.5, log, "timer 1.5")
    loop.call_later(0, log, "timer 0")
    loop.call_later(-1, log, "timer -1")
    loop.call_soon(log, "soon")
    h.cancel()
    await asyncio.sleep(2.2)
    log("main wakes")
    await asyncio.sleep(1)
    log("main wakes")

# Without the counting callback, which would keep virtual time from passing.
asyncio.run(main(), loop_factory=VirtualLoop)
