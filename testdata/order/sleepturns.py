import asyncio
from virtual import VirtualLoop, log


async def main():
    loop = asyncio.get_running_loop()

    def chain(n):
        log(f"turn {n} after the timer")
        if n < 4:
            loop.call_soon(chain, n + 1)
    loop.call_later(1, chain, 0)
    await asyncio.sleep(0.5)
    log("main wakes early")

    async def sleeper():
        await asyncio.sleep(0.5)  # at the time of chain, after it
        log("sleeper wakes")
    t = asyncio.create_task(sleeper())
    await t
    log("main wakes")

# Without the counting callback, which would keep virtual time from passing.
asyncio.run(main(), loop_factory=VirtualLoop)
