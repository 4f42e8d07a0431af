#!/usr/bin/env bash
# Proves the README's two commands on a machine that has nothing: makes a plain Debian 12 tree with
# git, make and ca-certificates, clones this checkout's HEAD into it, and there runs `make run`
# (until the sample is delivered, then Ctrl-C) and `make test`. Needs root and mmdebstrap.
#
#   tools/fresh_machine.sh              everything, in a tree of its own that is removed afterwards
#   tools/fresh_machine.sh --keep ...   leave the tree, and say where it is
#   tools/fresh_machine.sh --tree DIR   use (or make) the tree DIR, and leave it
#   tools/fresh_machine.sh deps|run|test ...   only these steps; deps is tools/install_deps.sh alone
#
# How this host reaches its package registries (apt configuration, certificates, proxies, .npmrc,
# pip.conf) is copied into the tree and nowhere else.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'fresh_machine: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

keep=no
tree=
steps=()
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=yes ;;
    --tree) shift; tree=${1:?--tree needs a directory}; keep=yes ;;
    deps | run | test) steps+=("$1") ;;
    *) die "unknown argument '$1'; see the head of this file" ;;
  esac
  shift
done
[ ${#steps[@]} -gt 0 ] || steps=(run test)
[ "$(id -u)" = 0 ] || die "needs root: it makes a Debian tree and enters it with chroot"
command -v mmdebstrap >/dev/null || die "needs mmdebstrap (apt-get install mmdebstrap)"
[ -n "$tree" ] || tree=$(mktemp -d /var/tmp/grapnel-fresh.XXXXXX)
mkdir -p "$tree"
tree=$(cd "$tree" && pwd)
[ "$tree" != / ] || die "the tree cannot be /"

mounted=()
running=
cleanup() {
  local status=$?
  trap - EXIT
  if [ -n "$running" ]; then kill -TERM -- "-$running" 2>/dev/null || true; fi
  local at
  for ((at = ${#mounted[@]} - 1; at >= 0; --at)); do
    umount "${mounted[at]}" || umount --lazy "${mounted[at]}"
  done
  if [ "$keep" = yes ]; then
    say "the tree stays in $tree"
  elif ! grep -q " $tree/" /proc/mounts; then
    rm -rf --one-file-system "$tree"
  fi
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

copy_in() {  # copy_in FILE...: the same path inside the tree
  local file
  for file in "$@"; do
    [ -e "$file" ] || continue
    mkdir -p "$tree$(dirname "$file")"
    cp -rL "$file" "$tree$(dirname "$file")/"
  done
}

if [ ! -e "$tree/etc/debian_version" ]; then
  say "making a plain Debian 12 tree in $tree"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,git,make bookworm "$tree"
  rm -rf "$tree/etc/apt/sources.list" "$tree/etc/apt/sources.list.d"
  copy_in /etc/apt/apt.conf.d /etc/apt/auth.conf.d /etc/apt/keyrings /etc/apt/trusted.gpg.d \
    /etc/apt/preferences.d /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources \
    /usr/local/share/ca-certificates /etc/pip.conf
  copy_in "${NODE_EXTRA_CA_CERTS:-/nonexistent}" "${SSL_CERT_FILE:-/nonexistent}"
  if [ -e ~/.npmrc ]; then install -m 600 ~/.npmrc "$tree/root/.npmrc"; fi
  chroot "$tree" update-ca-certificates >/dev/null
fi
cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"

for place in proc dev dev/pts; do
  if ! grep -q " $tree/$place " /proc/mounts; then
    mount --bind "/$place" "$tree/$place"
    mounted+=("$tree/$place")
  fi
done

# What is passed on of this environment: the way to the registries, and nothing else.
environment=(HOME=/root LANG=C.UTF-8
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY \
  NODE_EXTRA_CA_CERTS SSL_CERT_FILE; do
  if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
done
inside() { chroot "$tree" env -i "${environment[@]}" bash -c "cd /root/grapnel && $1"; }

say "cloning HEAD, $(git log -1 --format='%h %s')"
rm -rf "$tree/root/grapnel"
git clone --quiet --no-hardlinks . "$tree/root/grapnel"

step_deps() { inside tools/install_deps.sh; }

step_test() { inside 'make test'; }

step_run() {
  local log=$tree/root/run.log waited=0
  : >"$log"
  # Job control gives the job a process group of its own that a Ctrl-C can be sent to.
  set -m
  inside 'make run' >"$log" 2>&1 &
  running=$!
  set +m
  until grep -q '^demo: delivered' "$log"; do
    if ! kill -0 "$running" 2>/dev/null || [ $((waited += 1)) -gt 1800 ]; then
      tail -n 60 "$log"
      die "make run ended, or 30 minutes passed, without a delivery"
    fi
    sleep 1
  done
  kill -INT -- "-$running"
  wait "$running" || true  # make reports the Ctrl-C as an error
  running=
  tail -n 25 "$log"
  grep -q '^demo: ended' "$log" || die "make run did not end by Ctrl-C"
  local process
  for process in /proc/[0-9]*; do
    case $(readlink "$process/exe" 2>/dev/null) in
      "$tree"/root/grapnel/*) die "still running: $(tr '\0' ' ' <"$process/cmdline")" ;;
    esac
  done
}

for step in "${steps[@]}"; do
  say "step $step"
  started=$SECONDS
  "step_$step"
  say "step $step took $((SECONDS - started)) s"
done
say "done: ${steps[*]}"
