"""Measures asyncio, or uvloop where the first argument says so.

Reads lines "case n" and answers each with one line of JSON: {"cost": of all n}, or {"error": "why not"}. The first line
it writes says what it is. The cases are those of the Go files beside it: the same work, as asyncio's documentation does it.

With a second argument, "echo", it is an echo server instead: it writes its address, serves until its stdin ends, and writes the
processor time, in ns, that this took.
"""
import asyncio
import concurrent.futures
import functools
import gc
import json
import os
import platform
import queue
import sys
import threading
import time


async def one():
    return 1


def call():
    return 1


def batches(n):
    return range((n + 999) // 1000)


async def spawn(n):
    for _ in range(n):
        await asyncio.create_task(one())


async def gather(n):
    for _ in batches(n):
        await asyncio.gather(*[one() for _ in range(1000)])


async def hop(n):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def echo():
        for _ in range(n):
            await back.put(await there.get())

    task = asyncio.create_task(echo())
    for i in range(n):
        await there.put(i)
        await back.get()
    await task


async def yield_(n):
    async def turns():
        for _ in range(n // 100):
            await asyncio.sleep(0)

    await asyncio.gather(*[turns() for _ in range(100)])


async def callsoon(n):
    loop = asyncio.get_running_loop()
    count = 0

    def f():
        nonlocal count
        count += 1

    for _ in batches(n):
        for _ in range(1000):
            loop.call_soon(f)
        await asyncio.sleep(0)


async def post(n):
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = n

    def f():
        nonlocal left
        left -= 1
        if left == 0:
            done.set_result(None)

    def poster():
        for _ in range(n):
            loop.call_soon_threadsafe(f)

    thread = threading.Thread(target=poster)
    thread.start()
    await done
    thread.join()


async def idle(n):
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    back = queue.SimpleQueue()

    def poster():
        for _ in range(n):
            loop.call_soon_threadsafe(back.put, None)
            back.get()
        loop.call_soon_threadsafe(done.set_result, None)

    thread = threading.Thread(target=poster)
    thread.start()
    await done
    thread.join()


async def blocking(n):
    loop = asyncio.get_running_loop()
    for _ in range(n):
        await loop.run_in_executor(None, call)


async def executor1000(n):
    loop = asyncio.get_running_loop()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in batches(n):
            await asyncio.gather(*[loop.run_in_executor(pool, call) for _ in range(1000)])


async def blocking1000(n):
    for _ in batches(n):
        await asyncio.gather(*[asyncio.to_thread(call) for _ in range(1000)])


@functools.cache
def processes():
    """Two workers, for as long as this process runs. It is not used in the cases that count this process's memory or time."""
    return concurrent.futures.ProcessPoolExecutor(2)


def there_and_back(size):
    async def case(n):
        loop = asyncio.get_running_loop()
        argument = b"x" * size
        for _ in range(n):
            await loop.run_in_executor(processes(), bytes, argument)

    return case


def resident():
    """The memory of this process, in bytes. A system without /proc/self/statm gets an error instead of a number."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def memory(n):
    gate = asyncio.Event()
    gc.collect()
    before = resident()
    tasks = [asyncio.create_task(gate.wait()) for _ in range(n)]
    await asyncio.sleep(0)
    gc.collect()
    used = resident() - before
    gate.set()
    await asyncio.gather(*tasks)
    return used


async def timers(n):
    """The processor time, in ns, of n timers, one each microsecond, armed in no order."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = n

    def fired():
        nonlocal left
        left -= 1
        if left == 0:
            done.set_result(None)

    before = time.process_time_ns()
    for i in range(n):
        loop.call_later(i * 7919 % n * 1e-6, fired)
    await done
    return time.process_time_ns() - before


TIMED = {f.__name__.rstrip("_"): f for f in (spawn, gather, hop, yield_, callsoon, post, idle, blocking, executor1000, blocking1000)}
TIMED |= {"process": there_and_back(64), "process1m": there_and_back(1 << 20), "process64m": there_and_back(64 << 20)}
COUNTED = {f.__name__: f for f in (memory, timers)}


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def echo():
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.add_reader(0, lambda: over.done() or over.set_result(None))
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    print("%s:%d" % server.sockets[0].getsockname(), flush=True)
    before = time.process_time_ns()
    await over
    print(time.process_time_ns() - before, flush=True)
    os._exit(0)


async def measure(case, n):
    if case in COUNTED:
        return await COUNTED[case](n)
    work = TIMED[case]
    await work(n // 10 + 1)  # warm up
    gc.collect()
    start = time.perf_counter_ns()
    await work(n)
    return time.perf_counter_ns() - start


def run(new_loop, case, n):
    loop = new_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(measure(case, n))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def main():
    def say(**what):
        print(json.dumps(what), flush=True)

    new_loop = asyncio.new_event_loop
    version = f"{platform.python_implementation()} {platform.python_version()}"
    if sys.argv[1] == "uvloop":
        try:
            import uvloop
        except ImportError as e:
            say(error=str(e))
            return
        new_loop = uvloop.new_event_loop
        version = f"{uvloop.__version__} on {version}"
    if sys.argv[2:] == ["echo"]:
        new_loop().run_until_complete(echo())
    say(version=version)
    for line in sys.stdin:
        case, n = line.split()
        try:
            say(cost=run(new_loop, case, int(n)))
        except Exception as e:
            say(error=f"{type(e).__name__}: {e}")


main()
