"""The local stack: the service, all that watches it, and steady load, on loopback, as processes.

    python infra/local/stack.py [--profile real|fast] [--rate 40] [--incident NAME] …
    python infra/local/stack.py profile fast|real        # of the stack that runs

    from stack import FREE, Stack                        # for tests
    with Stack(folder, profile="fast", ports=FREE) as stack:
        stack.service, stack.prometheus, stack.pids["load"], …
"""

import sys

sys.dont_write_bytecode = True  # nothing is left in the tree
# pylint: disable=wrong-import-position
from glassbox_stack.demo import main
from glassbox_stack.files import NotOurs
from glassbox_stack.ports import DEFAULT, FREE, Taken
from glassbox_stack.stack import Failed, Stack
from glassbox_stack.swap import Refused, swap

__all__ = ["DEFAULT", "FREE", "Failed", "NotOurs", "Refused", "Stack", "Taken", "swap"]

if __name__ == "__main__":
    sys.exit(main())
