import asyncio
from virtual import log, run


async def task(name, steps, fail=None):
    for _ in range(steps):
        await asyncio.sleep(0)
    log(f"{name} ends")
    if fail:
        raise fail
    return name


async def wait(ts, when):
    done, pending = await asyncio.wait(ts, return_when=when)
    log(f"done {len(done)} pending {len(pending)}")


async def main():
    a, b, c = [asyncio.create_task(task(n, i)) for i, n in enumerate("abc")]
    await wait([a, b, c], asyncio.FIRST_COMPLETED)
    await wait([a, b, c], asyncio.FIRST_COMPLETED)
    await wait([a, b, c], asyncio.ALL_COMPLETED)
    await wait([a, b, c], asyncio.ALL_COMPLETED)
    d, e, f = asyncio.create_task(task("d", 1)), asyncio.create_task(task("e", 2, ValueError())), asyncio.create_task(task("f", 6))
    f.add_done_callback(lambda _: log("f done"))
    await wait([d, e, f], asyncio.FIRST_EXCEPTION)
    e.exception()
    await wait([d, f], asyncio.FIRST_EXCEPTION)

run(main)
