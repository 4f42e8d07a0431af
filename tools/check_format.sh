#!/usr/bin/env bash
# Fails when clang-format would change a source; with --fix it changes them (`make format`).
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(--dry-run -Werror --ferror-limit=1)
if [ "${1:-}" = --fix ]; then mode=(-i); fi
folders=()
for folder in src tests bench cmake; do
  if [ -d "$folder" ]; then folders+=("$folder"); fi
done
find "${folders[@]}" -name node_modules -prune -o \( -name '*.h' -o -name '*.cc' \) -print0 |
  xargs -0 clang-format-19 "${mode[@]}"
