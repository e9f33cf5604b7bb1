import asyncio
import hashlib
import time

JOBS = [("ann.jpg", 40), ("bob.jpg", 100), ("cat.jpg", 120), ("dog.jpg", 80)]


def digest(name, ms):
    """Blocks, as a library does that knows nothing of asyncio."""
    time.sleep(ms / 1000)
    return hashlib.sha256(name.encode()).hexdigest()[:8]


async def produce(queue):
    for job in JOBS:
        await queue.put(job)  # waits while the queue is full
        print("queued", job[0])
    queue.shutdown()


async def consume(who, queue, permits):
    loop = asyncio.get_running_loop()
    count = 0
    while True:
        try:
            name, ms = await queue.get()
        except asyncio.QueueShutDown:
            return count
        async with permits:
            short = await loop.run_in_executor(None, digest, name, ms)
        print(who, name, short)
        count += 1


async def main():
    queue = asyncio.Queue(1)
    permits = asyncio.Semaphore(2)
    producer = asyncio.create_task(produce(queue))
    async with asyncio.timeout(5):
        counts = await asyncio.gather(*(consume(who, queue, permits) for who in "xyz"))
    await producer
    print("done:", *counts)
    try:
        async with asyncio.timeout(0.02):
            await asyncio.Event().wait()
    except TimeoutError:
        print("nobody set it")


asyncio.run(main())
