#!/usr/bin/env bash
# Installs what building, testing and running Grapnel needs on Debian 12: Debian packages and,
# for tests, npm packages (see tests/npm/package.json). Safe to run again: what is there is left
# alone.
#
#   tools/install_deps.sh          compiler, libraries, test tools
#   tools/install_deps.sh --build  only what `make build` and `make run` need
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(
  clang-19 lld-19 llvm-19 libclang-rt-19-dev g++ cmake ninja-build ccache make git ca-certificates
  pkg-config zlib1g-dev curl
  libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev
  libssl-dev libsqlite3-dev libfmt-dev libspdlog-dev libcli11-dev libyaml-dev libsimdjson-dev
  libc-ares-dev prometheus-cpp-dev libgoogle-perftools-dev libmozjs-102-dev libseccomp-dev
)
test_packages=(
  clang-tidy-19 clang-format-19 libgtest-dev libgmock-dev python3 python3-yaml sqlite3 wrk openssl
  procps util-linux
)

want=("${build_packages[@]}")
if [ "${1:-}" != "--build" ]; then want+=("${test_packages[@]}"); fi

say() { printf 'install_deps: %s\n' "$*"; }

missing=()
for package in "${want[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ "${1:-}" != "--build" ]; then
  # Debian's own Node.js 18 is enough; a newer one that is already there is kept.
  command -v node >/dev/null || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
fi

if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "needs root (or sudo) to install: ${missing[*]}"; exit 1; }
    as_root=(sudo)
  fi
  say "installing with apt-get: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
else
  say "all Debian packages are installed"
fi

if [ "${1:-}" != "--build" ] && [ -f tests/npm/package.json ]; then
  stamp=tests/npm/node_modules/.installed
  if [ ! -f "$stamp" ] || ! cmp -s tests/npm/package.json "$stamp"; then
    say "installing the npm packages of tests/npm/package.json"
    (cd tests/npm &&
      npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error)
    cp tests/npm/package.json "$stamp"
  else
    say "all npm packages are installed"
  fi
fi
