#!/usr/bin/env bash
# Prints the disks that are nearly full. Exit code 0: none, 2: some, 3: Prometheus can't say.
set -euo pipefail
url=$1 least=${2:-0.1}

if ! full=$(promtool query instant "$url" "node_filesystem_avail_bytes / node_filesystem_size_bytes < $least" 2>&1); then
    echo "UNKNOWN: $full"
    exit 3
fi
if [[ $full ]]; then
    echo "CRITICAL: $full"
    exit 2
fi
echo OK
