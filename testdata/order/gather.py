import asyncio
from virtual import log, run


async def task(name, steps, fail=None):
    for _ in range(steps):
        await asyncio.sleep(0)
    log(f"{name} ends")
    if fail:
        raise fail
    return name


async def main():
    log(await asyncio.gather(asyncio.create_task(task("a", 2)), asyncio.create_task(task("b", 0)), asyncio.create_task(task("c", 1))))
    t = asyncio.create_task(task("d", 5))
    try:
        await asyncio.gather(asyncio.create_task(task("e", 3)), t, asyncio.create_task(task("f", 1, ValueError("boom"))))
    except ValueError as e:
        log(f"error {e}")
    log(t.done())
    log(await t)

run(main)
