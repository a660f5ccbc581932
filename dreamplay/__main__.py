"""`python -m dreamplay` is the `dreamplay` command."""

import sys

from dreamplay.cli import main

sys.exit(main())
