import asyncio
from virtual import log, run


def eager(loop, coro, **kwargs):
    return asyncio.Task(coro, loop=loop, eager_start=coro.__name__ == "eagerly", **kwargs)


async def eagerly(name, steps, fail=None):
    try:
        log(f"{name} begins")
        for _ in range(steps):
            await asyncio.sleep(0)
        log(f"{name} ends")
        if fail:
            raise fail
    except asyncio.CancelledError:
        log(f"{name} cancelled")
        raise


async def main():
    asyncio.get_running_loop().set_task_factory(eager)
    async with asyncio.TaskGroup() as g:
        g.create_task(eagerly("a", 0))
        g.create_task(eagerly("b", 2))
        log("body ends")
    log("group ends")
    async with asyncio.TaskGroup() as g:
        g.create_task(eagerly("c", 0))
        log("body ends")
    log("group ends")
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(eagerly("d", 9))
            g.create_task(eagerly("e", 0, ValueError()))
            log("body goes on")
            await asyncio.sleep(0)
            log("never")
    except* ValueError:
        log("group failed")
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(eagerly("f", 9))
            g.create_task(eagerly("g", 1, ValueError()))
            log("body ends")
    except* ValueError:
        log("group failed")

run(main)
