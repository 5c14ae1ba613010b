# lib.sh: a private installation of PostgreSQL with sigma in it, and a temporary cluster on it.
#
# PostgreSQL finds its share and lib directories relative to its own binary, so
# a copy of the binary beside links to everything else is an installation of its
# own: sigma is put into that one, and nothing of the system is touched.  It
# stands under TMPDIR, because a server does not run as root: for root, an
# unprivileged user owns it, who may not be able to read the clone.
#
# TEMP_CONFIG=FILE gives all servers settings, those of TAP tests too, as in PostgreSQL's own tests.
#
# Sourced by the tools beside it.

set -euo pipefail

# The caller's surroundings do not count: who may read new files, in which language programs speak and sort, which
# server libpq takes, and limits of time that a loaded machine misses.  A socket's path has at most 107 bytes.
umask 022
unset CDPATH LANGUAGE PGHOSTADDR PGSERVICE PGPASSWORD PGCLIENTENCODING PGDATESTYLE PGTZ
export LANG=C LC_ALL=C PGCTLTIMEOUT=600 PG_TEST_TIMEOUT_DEFAULT=600
export TMPDIR=${TMPDIR:-/tmp}
if [ ${#TMPDIR} -gt 60 ]; then TMPDIR=/tmp; fi

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PG_CONFIG=${PG_CONFIG:-pg_config}
if ! command -v "$PG_CONFIG" >/dev/null; then
    echo "$PG_CONFIG is not there; \"make deps\" installs it, PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config chooses another version" >&2
    exit 1
fi
PG_CONFIG=$(command -v "$PG_CONFIG")

if [ "$(id -u)" -eq 0 ]; then
    server_user=postgres
    id "$server_user" >/dev/null 2>&1 || server_user=nobody
    runuser -u "$server_user" -- test -w "$TMPDIR" || TMPDIR=/tmp
else
    server_user=$(id -un)
fi

# One place per clone and user, so that "make up" and "make down" meet.
sandbox=${SIGMA_SANDBOX:-$TMPDIR/sigma-$(id -u)-$(printf '%s' "$top" | cksum | cut -d' ' -f1)}

# Run a command as the user who owns the server.
as_server_user() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd "$sandbox" && runuser -u "$server_user" -- env HOME="$sandbox" "$@")
    else
        "$@"
    fi
}

# Build the extension and set $source to where.  SIGMA_VARIANT chooses how: nothing for
# the clone itself, "debug" and "coverage" for copies under build/ with flags of their own,
# so that objects of different flags never mix.
build() {
    local flags=()

    source=$top
    case ${SIGMA_VARIANT:-} in
        "") ;;
        debug)
            flags=(COPT="-O1 -DUSE_ASSERT_CHECKING -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Werror") ;;
        coverage)
            flags=(COPT="-O0 --coverage" SHLIB_LINK="--coverage") ;;
        *)
            echo "unknown SIGMA_VARIANT \"$SIGMA_VARIANT\": debug or coverage" >&2
            return 1 ;;
    esac
    if [ -n "${SIGMA_VARIANT:-}" ]; then
        source=$top/build/$SIGMA_VARIANT
        mkdir -p "$source"
        (cd "$top" && find src -name '*.[ch]' -print0 && printf '%s\0' Makefile sigma.control sigma--1.0.sql) |
            (cd "$top" && xargs -0 cp --parents -u -t "$source")
        # what was moved or removed is not built any more
        (cd "$source" && find src -name '*.[ch]' | while IFS= read -r file; do
            [ -e "$top/$file" ] || rm -f "$file" "${file%.[ch]}".[do]
        done)
    fi
    if ! make -q -C "$source" PG_CONFIG="$PG_CONFIG" "${flags[@]}" all >/dev/null 2>&1; then
        echo "building sigma ..." >&2
    fi
    make -s -j"$(nproc)" -C "$source" PG_CONFIG="$PG_CONFIG" "${flags[@]}" all
}

# The installation under $sandbox/NAME (default "pg"): sets $bindir.
install_private() {
    local name=${1:-pg}
    local root=$sandbox/$name
    local kind dir

    mkdir -p "$sandbox"
    chmod 755 "$sandbox"
    rm -rf "$root"
    for kind in bin pkglib share; do
        dir=$("$PG_CONFIG" --${kind}dir)
        mkdir -p "$root$dir"
        cp -rs "$dir/." "$root$dir/" 2>/dev/null || true
    done
    bindir=$root$("$PG_CONFIG" --bindir)
    for kind in postgres initdb pg_ctl psql pg_dump pg_restore pg_config pg_isready pgbench createdb dropdb pg_dumpall pg_basebackup; do
        if [ -e "$bindir/$kind" ]; then
            cp --remove-destination "$(readlink -f "$bindir/$kind")" "$bindir/$kind"
        fi
    done
    rm -f "$root$("$PG_CONFIG" --pkglibdir)"/sigma.so "$root$("$PG_CONFIG" --sharedir)"/extension/sigma*
    make -s -C "$source" PG_CONFIG="$PG_CONFIG" DESTDIR="$root" install >/dev/null
    export PATH=$bindir:$PATH
    if [ "$(id -u)" -eq 0 ]; then
        chown "$server_user" "$sandbox"
    fi
}

# Start a cluster under $sandbox/DIR (default "data") and export how to reach it.
# "$@" after DIR: further settings, name=value.
start_cluster() {
    local dir=$sandbox/${1:-data}
    shift || true
    local setting

    as_server_user mkdir -p "$sandbox/sock"
    if [ ! -d "$dir" ]; then
        as_server_user "$bindir/initdb" -D "$dir" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$sandbox/initdb.log" 2>&1 ||
            { cat "$sandbox/initdb.log" >&2; return 1; }
        {
            echo "listen_addresses = ''"
            echo "unix_socket_directories = '$sandbox/sock'"
            echo "fsync = off"
            echo "full_page_writes = off"
            echo "timezone = 'UTC'"
            echo "log_timezone = 'UTC'"
            for setting in "$@"; do echo "$setting"; done
            if [ -n "${TEMP_CONFIG:-}" ]; then cat "$TEMP_CONFIG"; fi
        } | as_server_user tee -a "$dir/postgresql.conf" >/dev/null
    fi
    export PGHOST=$sandbox/sock PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    as_server_user "$bindir/pg_ctl" -D "$dir" -l "$dir/server.log" -w start >/dev/null ||
        { as_server_user tail -n 20 "$dir/server.log" >&2; return 1; }
}

# A cluster for measurements: memory enough that disks do not count, no background work.
start_bench_cluster() {
    start_cluster data "shared_buffers = 1GB" "max_wal_size = 16GB" "checkpoint_timeout = 1h" "autovacuum = off" \
        "wal_level = minimal" "max_wal_senders = 0" "synchronous_commit = off" "jit = off" "max_parallel_workers_per_gather = 0"
}

# Stop it; no error where it does not run.
stop_cluster() {
    local dir=$sandbox/${1:-data}

    if [ -f "$dir/postmaster.pid" ]; then
        as_server_user "${bindir:-$("$PG_CONFIG" --bindir)}/pg_ctl" -D "$dir" -m fast stop >/dev/null 2>&1 || true
    fi
}
