import asyncio
from virtual import log, run


async def party(b, name):
    try:
        index = await b.wait()
        log(f"{name} is {index}")
    except asyncio.BrokenBarrierError:
        log(f"{name} broken")
    except asyncio.CancelledError:
        log(f"{name} cancelled")
        raise


def parties(b, names):
    return [asyncio.create_task(party(b, n)) for n in names]


async def turns(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def main():
    b = asyncio.Barrier(3)
    # More than one generation at once: d to g arrive while a to c leave.
    ts = parties(b, "abcdefg")
    await turns(6)
    log(f"pending {sum(not t.done() for t in ts)}")
    ts += parties(b, "hi")
    for t in ts:
        await t
    log("two generations")

    # The last one is main, who does not suspend.
    ts = parties(b, "ab")
    await turns(1)
    log(f"main is {await b.wait()}")
    log("main goes on")
    late = parties(b, "c")
    await turns(3)

    # A cancelled one; c waits from before.
    ts = parties(b, "d")
    await turns(1)
    ts[0].cancel()
    await turns(3)
    ts = parties(b, "ef")
    for t in late + ts:
        await t

    # Abort: those inside, those who come, and those who were let through but have not run.
    ts = parties(b, "gh")
    await turns(1)
    await b.abort()
    ts += parties(b, "i")
    for t in ts:
        await t
    await b.reset()
    ts = parties(b, "jkl")
    await turns(1)
    await b.abort()
    for t in ts:
        await t
    await party(b, "main")
    await b.reset()

    # Reset: those inside are broken, those who come meanwhile are the next.
    ts = parties(b, "mn")
    await turns(1)
    await b.reset()
    ts += parties(b, "opq")
    for t in ts:
        await t
    # Reset while it drains.
    ts = parties(b, "rstu")
    await turns(1)
    await b.reset()
    ts += parties(b, "vw")
    for t in ts:
        await t

    # A cancelled one wakes the first of the others, which queues anew.
    b = asyncio.Barrier(4)
    ts = parties(b, "abc")
    await turns(1)
    ts[2].cancel()
    await turns(3)
    for t in ts[:2] + parties(b, "de"):
        await t

run(main)
