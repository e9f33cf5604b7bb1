import asyncio
from virtual import log, run


async def task(lock, name):
    async with lock:
        log(f"{name} has it")
        await asyncio.sleep(0)
    log(f"{name} left")


async def main():
    lock = asyncio.Lock()
    ts = [asyncio.create_task(task(lock, n)) for n in "abc"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    log(f"locked {lock.locked()}")
    await lock.acquire()
    log("main has it")
    asyncio.create_task(task(lock, "d"))
    await asyncio.sleep(0)
    lock.release()
    await lock.acquire()
    log("main has it again")
    lock.release()

run(main)
