#!/usr/bin/env bash
# What `make run` starts once build/grapnel exists: Grapnel with examples/demo, a receiver that
# verifies and prints what arrives, and one sample sent through both. Stays up until Ctrl-C.
#
#   DEMO_PORT, DEMO_METRICS_PORT   other ports than 8080 and 9090
set -euo pipefail
cd "$(dirname "$0")/.."

grapnel=build/grapnel
port=${DEMO_PORT:-8080}
data=grapnel-data/demo
[ "$port" = 8080 ] || data=grapnel-data/demo-$port
metrics_port=${DEMO_METRICS_PORT:-9090}
wait_seconds=30

say() { printf 'demo: %s\n' "$*"; }
die() {
  say "$*" >&2
  exit 1
}

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

serve_pid=
echo_pid=
end() {
  local status=$?
  trap - EXIT
  trap '' INT TERM
  for pid in $serve_pid $echo_pid; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in $serve_pid $echo_pid; do wait "$pid" 2>/dev/null || true; done
  say "ended"
  exit "$status"
}
trap end EXIT
trap 'exit 0' INT TERM

# until_true SECONDS COMMAND...: tries it ten times a second; fails at once when serve has died.
until_true() {
  local left=$(($1 * 10))
  shift
  until "$@"; do
    kill -0 "$serve_pid" 2>/dev/null || return 1
    [ $((left -= 1)) -gt 0 ] || return 1
    sleep 0.1
  done
}

[ -x "$grapnel" ] || die "$grapnel is missing: make build"
for taken in "$port" "$metrics_port"; do
  ! is_taken "$taken" || die "port $taken is taken; set DEMO_PORT and DEMO_METRICS_PORT to others"
done
echo_port=8085
while is_taken "$echo_port"; do echo_port=$((echo_port + 1)); done

(umask 077 && mkdir -p "$data")
# One key for both sides of this demo: made anew each time, never written to a file.
GRAPNEL_API_KEY=demo-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export GRAPNEL_API_KEY
export GRAPNEL_LISTEN=127.0.0.1:$port GRAPNEL_METRICS_LISTEN=127.0.0.1:$metrics_port
export GRAPNEL_SERVER=http://127.0.0.1:$port GRAPNEL_DATA_DIR=$data

say "starting Grapnel on $GRAPNEL_SERVER, its data in $data, its log in $data/serve.log"
"$grapnel" serve --config examples/demo/grapnel.yaml >"$data/serve.log" 2>&1 &
serve_pid=$!
answers() { curl --silent --fail --max-time 2 --output /dev/null "$GRAPNEL_SERVER/healthz"; }
if ! until_true "$wait_seconds" answers; then
  tail -n 20 "$data/serve.log" >&2
  die "Grapnel did not start"
fi

say "starting the receiver on http://127.0.0.1:$echo_port/"
secret=$(sed -n 's/^ *signing_secret: *//p' examples/demo/demo.yaml)
: >"$data/echo.log"
"$grapnel" echo --listen "127.0.0.1:$echo_port" --secret "$secret" > >(tee "$data/echo.log") 2>&1 &
echo_pid=$!
until_true "$wait_seconds" is_taken "$echo_port" || die "the receiver did not start"

say "applying examples/demo/demo.yaml: the source 'demo' and its action 'echo'"
sed "s|127.0.0.1:8085|127.0.0.1:$echo_port|" examples/demo/demo.yaml >"$data/demo.yaml"
"$grapnel" apply -f "$data/demo.yaml"

say "sending examples/demo/sample.json"
sent=$("$grapnel" send demo -f examples/demo/sample.json -H 'Content-Type: application/json')
printf '%s\n' "$sent"
event=$(grep -o 'evt_[0-9A-Z]*' <<<"$sent" | head -n 1) || die "send named no event"
until_true "$wait_seconds" grep -q "$event" "$data/echo.log" || die "$event was not delivered"
say "delivered $event"
cat <<TEXT

Send another, from any terminal:

  curl -i -d '{"type":"order.paid","n":2}' $GRAPNEL_SERVER/webhooks/demo

Look around:

  export GRAPNEL_SERVER=$GRAPNEL_SERVER GRAPNEL_API_KEY=$GRAPNEL_API_KEY
  build/grapnel get deliveries

Ctrl-C ends it.
TEXT
status=0
wait -n "$serve_pid" "$echo_pid" || status=$?
die "Grapnel or its receiver ended by itself, with status $status"
