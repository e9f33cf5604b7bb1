import asyncio
from virtual import VirtualLoop, log


def tasks_end():
    loop = asyncio.get_running_loop()
    log("a")
    loop.call_soon(log, "a1")
    loop.call_soon(loop.call_soon, log, "a2")


async def left(name):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log(f"{name} cancelled")
        await asyncio.sleep(0)
        log(f"{name} cleaned up")
        raise


async def main():
    asyncio.create_task(left("x"))  # one: asyncio.run cancels in the order of a set
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(tasks_end)
    log("main ends")

asyncio.run(main(), loop_factory=VirtualLoop)
