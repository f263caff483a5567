#!/usr/bin/env bash
# Writes the two lock files anew from pyproject.toml: versions and hashes, no index and no download address.
# `deploy/lock.sh --upgrade` takes the newest versions; without it only what pyproject.toml demands changes.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  # pip cannot find the hash of an extra (coverage[toml]) that the lock names without it: hence --no-strip-extras.
  .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras \
    --no-emit-index-url --no-annotate --no-header --quiet "$@" >/dev/null
}
compile --extra editable --output-file requirements.lock "$@"
compile --all-extras --constraint requirements.lock --output-file requirements-dev.lock "$@"
wc -l requirements.lock requirements-dev.lock
