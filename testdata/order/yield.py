import asyncio
from virtual import log, run


async def task(name):
    for i in range(3):
        log(f"{name}{i}")
        await asyncio.sleep(0)


async def main():
    ts = [asyncio.create_task(task(n)) for n in "abc"]
    for t in ts:
        await t
        log("awaited")

run(main)
