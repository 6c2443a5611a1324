#!/bin/bash
# Lint the tool and its workflow, serve them on a real Galaxy, check them there, and stop it again.
# The result goes to result.json. Names of checks as arguments run only those (see check.py).
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

install
trap down EXIT
up
"$LAB/vg/bin/python" "$HERE/check.py" "$URL" "$ADMIN_KEY" "$LAB" "$TOOL_ENV" "$HERE/result.json" "$@"
