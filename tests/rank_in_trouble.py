"""`dreamplay train` whose last rank gets a signal in the middle of an update; for torchrun.

torchrun ... rank_in_trouble.py SIGNAL UPDATE WORDS
"""

import os
import signal
import sys

from dreamplay import cli
from dreamplay import update as module

name, update, *words = sys.argv[1:]
calls, objective = 0, module.objective
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell of the tests did with it


def troubled(*arguments, **options):
    global calls
    calls += 1
    if calls == int(update) and int(os.environ["RANK"]) == int(os.environ["WORLD_SIZE"]) - 1:
        os.kill(os.getpid(), getattr(signal, name))
    return objective(*arguments, **options)


module.objective = troubled
sys.exit(cli.main(["train", *words]))
