"""``python -m genescribe``: the same as the installed command ``genescribe``."""

from __future__ import annotations

import sys

from genescribe.cli import main

sys.exit(main())
