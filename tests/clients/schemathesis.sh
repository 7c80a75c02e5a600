#!/usr/bin/env bash
# Holds a running ibid to its own OpenAPI document. Usage: schemathesis.sh IBID SCHEMATHESIS
set -euo pipefail
config=$(cd "$(dirname "$0")" && pwd)/schemathesis.toml
data=$(mktemp -d)
# What it keeps of a run belongs to that run.
cd "$data"
address=$data/address
"$1" serve --listen 127.0.0.1:0 --data "$data/data" --quiet >"$address" 2>/dev/null &
service=$!
trap 'kill $service 2>/dev/null; rm -rf "$data"' EXIT
for _ in $(seq 100); do [ -s "$address" ] && break; sleep 0.1; done
"$2" --config-file "$config" run "$(cat "$address")/openapi.json" --max-examples 25 --workers 1 --seed 20261124 >"$data/log" || { cat "$data/log"; exit 1; }
tail -n 4 "$data/log"
