import asyncio
from virtual import log, run


def eager(coro):
    return asyncio.Task(coro, loop=asyncio.get_running_loop(), eager_start=True)


async def task(name, steps, fail=None):
    log(f"{name} begins")
    for _ in range(steps):
        await asyncio.sleep(0)
        log(f"{name} goes on")
    if fail:
        raise fail
    return name


async def nested():
    log("outer begins")
    t = eager(task("inner", 1))
    log("outer goes on")
    await t
    log("outer ends")


async def waits(event):
    log("waits")
    await event.wait()
    log("is set")


async def main():
    loop = asyncio.get_running_loop()
    loop.call_soon(log, "ready before")
    asyncio.create_task(task("usual", 0))
    a = eager(task("a", 0))
    log(f"a is done: {a.done()}")
    a.add_done_callback(lambda _: log("a's callback"))
    b = eager(task("b", 2))
    log(f"b is done: {b.done()}")
    b.add_done_callback(lambda _: log("b's callback"))
    c = eager(task("c", 0, ValueError()))
    log(f"c is done: {c.done()}")
    try:
        await c
    except ValueError:
        log("c failed, and to await it took no turn")
    await b
    log("b awaited")
    n = eager(nested())
    log("started nested")
    await n
    log("nested awaited")
    loop.call_soon(lambda: (log("callback begins"), eager(task("from a callback", 1)), log("callback ends")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event = asyncio.Event()
    w = eager(waits(event))
    event.set()
    log("set")
    await w
    log("waiter awaited")
    g = await asyncio.gather(eager(task("g1", 1)), eager(task("g2", 0)))
    log(f"gathered {g[0]} {g[1]}")

run(main)
