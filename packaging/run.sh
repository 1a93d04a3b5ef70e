#!/usr/bin/env bash
# A reference ledger and a till in the foreground until Ctrl-C; their state stays for the next time, in the folder where
# every `tilld` command looks for it by itself.
set -euo pipefail
cd "$(dirname "$0")/.."
state=${STATE_DIRECTORY:-$HOME/.local/state/tilld}
mkdir -p "$state"
chmod 700 "$state"

bold='' plain=''
[ ! -t 2 ] || bold=$'\033[1m' plain=$'\033[0m'
say() { printf '%s· %s%s\n' "$bold" "$*" "$plain" >&2; }

children=() services=()
stop() {
    trap - INT TERM EXIT
    # The till first, so that its last records can still reach the ledger.
    for child in "${children[@]}" "${services[@]}"; do
        kill -TERM "$child" 2>/dev/null && wait "$child" 2>/dev/null || true
    done
}
trap 'stop; exit 0' INT TERM
trap stop EXIT

# Readers on PC/SC need pcscd. systemd starts it by socket; a container has no systemd, so it is started here.
if [ "$(id -u)" = 0 ] && [ ! -d /run/systemd/system ] && ! pidof pcscd >/dev/null; then
    say "starting pcscd for smart-card readers"
    pcscd --foreground >/dev/null 2>&1 &
    services=($!)
fi

say "ledger: http://127.0.0.1:8790  (books in $state/ledger.db)"
.venv/bin/tilld ledger --listen 127.0.0.1:8790 --database "sqlite:///$state/ledger.db" --unknown-cards register --enrolment open &
ledger=$!
say "till:   http://127.0.0.1:8780  (state in $state)  -  Ctrl-C ends both"
.venv/bin/tilld run --state "$state" &
children=($! "$ledger")
say "try:    .venv/bin/tilld tap 2990000000017"
wait -n "${children[@]}" && code=0 || code=$?
stop
exit "$code"
