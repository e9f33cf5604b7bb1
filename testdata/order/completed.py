import asyncio
from virtual import log, run


async def task(name, steps, fail=None):
    for _ in range(steps):
        await asyncio.sleep(0)
    log(f"{name} ends")
    if fail:
        raise fail
    return name


async def tell(f):
    try:
        log(f"got {await f}")
    except ValueError as e:
        log(f"error {e}")


async def main():
    loop = asyncio.get_running_loop()
    ts = [asyncio.create_task(task(n, steps)) for n, steps in (("a", 3), ("b", 0), ("c", 0), ("d", 1))]
    for f in asyncio.as_completed(ts):
        await tell(f)
    log("those were four")

    # The asynchronous form takes the same turns; what is done takes one, too.
    e, f = asyncio.create_task(task("e", 1, ValueError("boom"))), asyncio.create_task(task("f", 4))
    async for t in asyncio.as_completed([f, ts[0], e]):
        await tell(t)

    # What gets done while the body is busy waits for it, in the order in which it got done.
    gs = [asyncio.create_task(task(n, steps)) for n, steps in (("g", 2), ("h", 0), ("i", 1))]
    async for t in asyncio.as_completed(gs):
        await tell(t)
        if t is gs[1]:
            for _ in range(4):
                await asyncio.sleep(0)
            log("body goes on")

    # One that is there twice comes once; one that is left early leaves nothing.
    p, q = loop.create_future(), loop.create_future()
    loop.call_soon(q.set_result, "q")
    async for t in asyncio.as_completed([p, q, p]):
        await tell(t)
        break
    p.add_done_callback(lambda _: log("p done"))
    p.set_result("p")
    n = 0
    async for t in asyncio.as_completed([p, p]):
        n += 1
    log(n)

run(main)
