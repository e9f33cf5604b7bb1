import asyncio
from virtual import VirtualLoop, log


async def main():
    loop = asyncio.get_running_loop()

    def chain(n):
        log(f"turn {n}")
        if n < 4:
            loop.call_soon(chain, n + 1)
    loop.call_later(1, chain, 0)
    try:
        async with asyncio.timeout(1):
            await asyncio.Event().wait()
    except TimeoutError:
        log("timeout")
    await asyncio.sleep(1)

# Without the counting callback, which would keep virtual time from passing.
asyncio.run(main(), loop_factory=VirtualLoop)
