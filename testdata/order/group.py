import asyncio
from virtual import log, run


async def task(name, steps, fail=None):
    try:
        for _ in range(steps):
            await asyncio.sleep(0)
        log(f"{name} ends")
        if fail:
            raise fail
    except asyncio.CancelledError:
        log(f"{name} cancelled")
        raise


async def forever(name):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log(f"{name} cancelled")
        raise


async def main():
    async with asyncio.TaskGroup() as g:
        g.create_task(task("a", 2))
        g.create_task(task("b", 1))
        log("body ends")
    log("group ends")
    async with asyncio.TaskGroup() as g:
        log("empty body")
    log("empty group ends")
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(forever("c"))
            g.create_task(task("d", 1, ValueError()))
            g.create_task(forever("e"))
            await forever("body")
    except* ValueError:
        log("group failed")
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(forever("f"))
            await asyncio.sleep(0)
            raise ValueError
    except* ValueError:
        log("group failed by its body")

run(main)
