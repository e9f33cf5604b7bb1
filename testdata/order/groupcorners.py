import asyncio
from virtual import log, run


async def task(name, steps, fail=None):
    log(f"{name} starts")
    try:
        for _ in range(steps):
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        log(f"{name} cancelled")
        raise
    log(f"{name} ends")
    if fail:
        raise fail


async def cleans(name, steps, fail=None):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log(f"{name} cancelled")
        for _ in range(steps):
            await asyncio.sleep(0)
        log(f"{name} cleaned up")
        if fail:
            raise fail
        raise


async def member_starts_member():
    async with asyncio.TaskGroup() as g:
        async def parent():
            log("parent starts")
            g.create_task(task("child", 2))
            await asyncio.sleep(0)
            log("parent ends")
        g.create_task(parent())
        log("body ends")
    log("group ends")


async def nested():
    async with asyncio.TaskGroup() as outer:
        outer.create_task(task("a", 4))
        async with asyncio.TaskGroup() as inner:
            inner.create_task(task("b", 1))
            outer.create_task(task("c", 6))
        log("inner ends")
    log("outer ends")


async def inner_fails():
    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(cleans("d", 2))
            async with asyncio.TaskGroup() as inner:
                inner.create_task(task("e", 1, ValueError()))
            log("never")
    except* ValueError:
        log("both failed")


async def fails_in_cleanup():
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(cleans("f", 3, ValueError()))
            g.create_task(task("g", 1, KeyError()))
            log("body ends")
    except* (KeyError, ValueError) as e:
        log(f"group failed {len(e.exceptions)}")


async def last_one_fails():
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(task("h", 0))
            g.create_task(task("i", 0, ValueError()))
    except* ValueError:
        log("group failed by its last")


async def body_fails_before_the_first_step():
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(task("never", 0))
            raise ValueError
    except* ValueError:
        log("its member never started")


async def member_cancelled_alone():
    async with asyncio.TaskGroup() as g:
        t = g.create_task(task("j", 9))
        g.create_task(task("k", 4))
        await asyncio.sleep(0)
        t.cancel()
        log("cancel")
    log("that is no error")


async def fails_while_the_body_is_ready():
    try:
        async with asyncio.TaskGroup() as g:
            t = g.create_task(task("l", 0, ValueError()))
            try:
                await t
                log("never")
            except asyncio.CancelledError:
                log("body cancelled")
                raise
    except* ValueError:
        log("group failed")


async def main():
    for corner in (member_starts_member, nested, inner_fails, fails_in_cleanup, last_one_fails,
                   body_fails_before_the_first_step, member_cancelled_alone, fails_while_the_body_is_ready):
        await corner()

run(main)
