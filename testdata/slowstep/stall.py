"""What asyncio's debug mode says of a step that holds the loop for 0.3 seconds.

    python3 testdata/slowstep/stall.py > testdata/slowstep/stall.txt
"""

import asyncio
import logging
import re
import sys
import time


class WithoutFolders(logging.Formatter):
    def format(self, record):
        return re.sub(r"\S+/", "", super().format(record))


async def handler():
    print("step begins", flush=True)
    time.sleep(0.3)  # the culprit
    print("step ends", flush=True)


async def main():
    await asyncio.create_task(handler(), name="handler")


to_stdout = logging.StreamHandler(sys.stdout)
to_stdout.setFormatter(WithoutFolders("%(levelname)s %(message)s"))
logging.basicConfig(handlers=[to_stdout], level=logging.WARNING)
asyncio.run(main(), debug=True)
