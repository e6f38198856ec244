#!/usr/bin/env bash
# Tests check-disks.sh: needs curl, promtool and miniprom, no Python of your own.
set -euo pipefail
cd "$(dirname "$0")"

exec {ready}< <(exec miniprom fake --parent-pid $$)
read -r -u "$ready" line
url=$(sed -E 's/.*"url": "([^"]*)".*/\1/' <<<"$line")

fake() { # fake PATH JSON: asks the control API, prints its answer
    curl --fail-with-body --silent --show-error --json "$2" "$url/-/fake/$1"
}

expect() { # expect CODE TEXT: what check-disks.sh must end with and print
    local code=0 output
    output=$(./check-disks.sh "$url") || code=$?
    if [[ $code != "$1" || $output != *"$2"* ]]; then
        echo "expected $1 and \"$2\", got $code and \"$output\"" >&2
        exit 1
    fi
    echo "ok: $2"
}

disk() { # disk MOUNTPOINT AVAILABLE
    fake load '{"series": {
        "node_filesystem_avail_bytes{mountpoint=\"'"$1"'\"}": '"$2"',
        "node_filesystem_size_bytes{mountpoint=\"'"$1"'\"}": 100}}' >/dev/null
}

disk / 50
expect 0 OK

disk /var 5
expect 2 'mountpoint="/var"'

fake faults '{"kind": "error", "status": 503, "error_type": "unavailable", "error": "starting up"}' >/dev/null
expect 3 UNKNOWN

fake reset '{}' >/dev/null
expect 0 OK
fake assert '{"query": "node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1", "times": 1}' | grep --quiet '"ok":true'
echo "ok: asked once"
