#!/usr/bin/env python3
"""Write a copy of the tool whose every test must fail: ``negative.py TOOL.xml FOLDER``.

A server on which one of them passes does not look at what the tests assert.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

TESTS = Path(__file__).with_name("negative_tests.xml")


def main() -> int:
    """Put the tests of ``negative_tests.xml`` into the copy, and other ids beside the original."""
    tool, folder = (Path(argument) for argument in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    text = tool.read_text(encoding="utf-8").replace(
        '<tool id="genescribe" name="genescribe"', '<tool id="negative" name="Must fail"'
    )
    tests = TESTS.read_text(encoding="utf-8")
    text = re.sub(r"<tests>.*</tests>", lambda _: tests.strip(), text, flags=re.DOTALL)
    (folder / "negative.xml").write_text(text, encoding="utf-8")
    shutil.copy(tool.with_name("macros.xml"), folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
