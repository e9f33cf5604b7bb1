import asyncio
from virtual import log, run


async def task(name, steps, fail=None):
    for _ in range(steps):
        await asyncio.sleep(0)
    log(f"{name} ends")
    if fail:
        raise fail
    return name


def words(outcomes):
    return ", ".join("cancelled" if isinstance(o, asyncio.CancelledError) else f"error {o}" if isinstance(o, Exception) else o for o in outcomes)


async def main():
    ts = [asyncio.create_task(task("a", 2)), asyncio.create_task(task("b", 0, ValueError("boom"))), asyncio.create_task(task("c", 1))]
    log(words(await asyncio.gather(*ts, return_exceptions=True)))
    log(words(await asyncio.gather(*ts, return_exceptions=True)))
    d, e = asyncio.create_task(task("d", 3, ValueError("late"))), asyncio.create_task(task("e", 9))
    asyncio.get_running_loop().call_soon(e.cancel)
    log(words(await asyncio.gather(d, e, ts[0], return_exceptions=True)))
    p = asyncio.get_running_loop().create_future()
    p.add_done_callback(lambda _: log("p done"))
    asyncio.get_running_loop().call_soon(p.set_exception, ValueError("p"))
    log(words(await asyncio.gather(p, p, return_exceptions=True)))

run(main)
