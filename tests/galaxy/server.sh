#!/bin/bash
# A real Galaxy server from PyPI that serves the tool in galaxy_tool/ on 127.0.0.1.
#
#   server.sh install    Galaxy and planemo into $LAB (2 GB, 3 minutes; only what is missing)
#   server.sh up         start the server with a fresh database, and wait until it answers
#   server.sh down       stop it
#
# Environment, with defaults:
LAB=${LAB:-${TMPDIR:-/tmp}/genescribe-galaxy}   # everything is written here
PORT=${PORT:-8765}
TOOL_ENV=${TOOL_ENV:-}                          # environment with genescribe; default: .venv of the project
GALAXY_VERSION=${GALAXY_VERSION:-26.1.1}
PLANEMO_VERSION=${PLANEMO_VERSION:-0.75.47}
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
TOOL=$ROOT/galaxy_tool/genescribe.xml
SERVER=$LAB/server
URL=http://127.0.0.1:$PORT
TOOL_ENV=${TOOL_ENV:-$ROOT/.venv}
export HOME=$LAB/home PIP_DISABLE_PIP_VERSION_CHECK=1 # planemo and Galaxy write into their home
unset PYTHONPATH

install() {
    mkdir -p "$HOME"
    # The metapackage pins all that Galaxy depends on; the web client is built already.
    [ -x "$LAB/vg/bin/galaxy-web" ] || { python3 -m venv "$LAB/vg" && "$LAB/vg/bin/pip" install -q \
        "galaxy==$GALAXY_VERSION" "galaxy-web-client==$GALAXY_VERSION"; }
    [ -x "$LAB/vp/bin/planemo" ] || { python3 -m venv "$LAB/vp" && "$LAB/vp/bin/pip" install -q \
        "planemo==$PLANEMO_VERSION"; }
}

configure() {
    rm -rf "$SERVER" && mkdir -p "$SERVER/tool-data"
    # A package requirement is resolved by deps/NAME/VERSION/env.sh, which only the tool's own shell
    # reads. A PATH for the whole job would break Galaxy's uploads.
    local version
    version=$("$TOOL_ENV/bin/genescribe" --version)
    local package=$SERVER/deps/genescribe/${version#genescribe }
    mkdir -p "$package" && echo "export PATH=\"$TOOL_ENV/bin:\$PATH\"" > "$package/env.sh"
    "$LAB/vg/bin/python" "$HERE/negative.py" "$TOOL" "$SERVER/tools"
    local bundled
    bundled=$("$LAB/vg/bin/python" -c 'import galaxy.tools as t; print(t.__path__[0])')/bundled
    cat > "$SERVER/tool_conf.xml" <<XML
<toolbox monitor="false">
  <section id="annotation" name="Annotation">
    <tool file="$TOOL"/>
    <tool file="$SERVER/tools/negative.xml"/>
  </section>
  <section id="filter" name="Filter and Sort">
    <tool file="$bundled/stats/filtering.xml"/>
  </section>
</toolbox>
XML
    cat > "$SERVER/galaxy.yml" <<YAML
galaxy:
  data_dir: $SERVER/data
  config_dir: $SERVER
  database_connection: sqlite:///$SERVER/universe.sqlite?isolation_level=IMMEDIATE
  tool_config_file: $SERVER/tool_conf.xml
  shed_tool_config_file: $SERVER/shed_tool_conf.xml
  integrated_tool_panel_config: $SERVER/integrated_tool_panel.xml
  tool_data_table_config_path: $ROOT/galaxy_tool/tool_data_table_conf.xml.test
  tool_data_path: $SERVER/tool-data
  bootstrap_admin_api_key: $ADMIN_KEY
  admin_users: $ADMIN
  id_secret: only-on-127.0.0.1
  conda_auto_init: false
  conda_auto_install: false
  tool_dependency_dir: $SERVER/deps
  dependency_resolvers:
    - {type: galaxy_packages, base_path: $SERVER/deps}
  enable_mulled_containers: false
  enable_celery_tasks: false
  enable_tool_shed_check: false
  allow_path_paste: true
  watch_tools: 'false'
  cleanup_job: never                       # check.py takes times from the jobs' folders
  sanitize_allowlist_file: $SERVER/sanitize_allowlist.txt
  job_config:
    runners:
      local:
        load: galaxy.jobs.runners.local:LocalJobRunner
        workers: 2
    execution:
      default: local
      environments:
        local:
          runner: local
          local_slots: 2
          env:
            - file: $SERVER/job_environment.sh
YAML
    : > "$SERVER/sanitize_allowlist.txt"
    : > "$SERVER/job_environment.sh" # check.py writes what an administrator may set
}

up() {
    configure
    # VIRTUAL_ENV must be set, because the jobs that read datasets' metadata activate it again; -s
    # makes everybody who comes the administrator, so that a browser needs no login.
    (cd "$SERVER" && . "$LAB/vg/bin/activate" && exec setsid \
        galaxy-web -c "$SERVER/galaxy.yml" -b "127.0.0.1:$PORT" -s "$ADMIN") > "$SERVER/server.log" 2>&1 &
    echo $! > "$SERVER/server.pid"
    for _ in $(seq 1 600); do
        curl -fs "$URL/api/version" && { echo; return 0; }
        kill -0 "$(cat "$SERVER/server.pid")" 2> /dev/null || break
        sleep 1
    done
    tail -20 "$SERVER/server.log" >&2
    return 1
}

down() {
    local pid
    pid=$(cat "$SERVER/server.pid") && rm "$SERVER/server.pid"
    kill -TERM "$pid" 2> /dev/null || return 0
    for _ in $(seq 1 40); do
        kill -0 "$pid" 2> /dev/null || return 0
        sleep 1
    done
    kill -KILL "$pid"
}

ADMIN=admin@example.org
ADMIN_KEY=key-of-a-server-on-127.0.0.1
[ "${BASH_SOURCE[0]}" != "$0" ] || case ${1:-} in
    install | up | down) "$1" ;;
    *) echo "usage: $0 install|up|down" >&2 && exit 2 ;;
esac
