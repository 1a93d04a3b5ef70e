#!/usr/bin/env bash
# Installs what tilld needs, and says what it does: setup.sh run|test|demo|bench
# Debian packages where missing (with sudo when not root), then the virtual environment .venv.
# Every step is skipped when it is done already, so a second run takes well under a second.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}

bold='' plain=''
[ ! -t 2 ] || bold=$'\033[1m' plain=$'\033[0m'
say() { printf '%s· %s%s\n' "$bold" "$*" "$plain" >&2; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 2; }

# gcc, swig (by pip) and the pcsclite headers build pyscard, which is published as source only.
packages=(ca-certificates gcc libc6-dev libpcsclite-dev libpcsclite1 pkg-config python3-dev python3-venv pcscd libccid libzbar0)
case $purpose in
    test) packages+=(vsmartcard-vpcd chromium e2fsprogs iproute2 mount postgresql procps strace util-linux) ;;
    demo) packages+=(vsmartcard-vpcd iproute2 mount procps util-linux) ;;
    bench) packages+=(iproute2 mount postgresql strace util-linux vsmartcard-vpcd) ;;
esac

# Ubuntu's chromium is a snap, which containers cannot run; there Playwright brings its own build. Its libzbar0 has
# another name since 24.04.
distribution=$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown}")
own_browser=
if [ "$distribution" = ubuntu ]; then
    packages=("${packages[@]/#chromium/}")
    packages=("${packages[@]/%libzbar0/libzbar0t64}")
    [ "$purpose" != test ] || own_browser=yes
fi

have() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

install_packages() {
    command -v dpkg-query >/dev/null || { say "not a Debian system: make sure these are there: ${packages[*]}"; return; }
    local missing=() as_root=()
    for package in ${packages[*]}; do have "$package" || missing+=("$package"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "these Debian packages are missing and there is no sudo: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get -q update >&2
    local clusters=/etc/postgresql-common/createcluster.conf quiet=
    # The tests start a PostgreSQL server of their own; Debian's package would make and start one for the system.
    if [[ " ${missing[*]} " == *" postgresql "* ]] && ! have postgresql-common; then
        install_now postgresql-common
        quiet=yes
        "${as_root[@]}" pg_conftool "$clusters" set create_main_cluster false
    fi
    install_now "${missing[@]}"
    [ -z "$quiet" ] || "${as_root[@]}" pg_conftool "$clusters" remove create_main_cluster
}

# Uses as_root of its caller.
install_now() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@" >&2
}

find_python() {
    for candidate in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$candidate" -c 'import sys, ensurepip; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$candidate"; return
        fi
    done
    fail "no Python 3.11, 3.12 or 3.13 found; on Debian 12 and Ubuntu 24.04: apt-get install python3 python3-venv"
}

install_environment() {
    local wanted=requirements/runtime.txt stamp
    [ "$purpose" = test ] || [ "$purpose" = bench ] && wanted=requirements/dev.txt
    stamp=".venv/.installed-$(basename "$wanted" .txt)-$(cat requirements/*.txt pyproject.toml | sha256sum | cut -c1-16)"
    # dev.txt holds everything of runtime.txt at the same versions.
    [ -e "$stamp" ] || [ -e "${stamp/-runtime-/-dev-}" ] && [ -x .venv/bin/tilld ] && return
    if ! .venv/bin/python -c '' 2>/dev/null; then
        local python
        python=$(find_python)
        say "making .venv with $($python --version)"
        rm -rf .venv
        "$python" -m venv .venv
    fi
    say "installing Python packages of $wanted (about a minute the first time)"
    local pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input install -q)
    "${pip[@]}" --require-hashes -r requirements/build.txt
    PATH="$PWD/.venv/bin:$PATH" "${pip[@]}" --require-hashes --no-build-isolation -r "$wanted"
    # setuptools warns at length that top-level packages lie beside the project: here they are meant to (decision 1).
    "${pip[@]}" --no-deps --no-build-isolation -e . 2>.venv/install.log || { cat .venv/install.log >&2; fail "tilld itself did not install"; }
    if [ -n "$own_browser" ]; then
        say "installing Playwright's Chromium"
        .venv/bin/playwright install --with-deps chromium >&2 || say "no Chromium: the browser's tests will be skipped"
    fi
    # An installation in place leaves out the manual page; man(1) finds it beside a bin/ that is in PATH.
    mkdir -p .venv/share/man/man1
    ln -sf ../../../../docs/man/tilld.1 .venv/share/man/man1/tilld.1
    rm -f .venv/.installed-"$(basename "$wanted" .txt)"-*
    touch "$stamp"
}

# What drives the till from JavaScript: unmodified POS clients, the accessibility rules, the TypeScript compiler.
install_javascript() {
    local stamp
    stamp="tests/node/node_modules/.installed-$(cat tests/node/package*.json | sha256sum | cut -c1-16)"
    [ ! -e "$stamp" ] || return 0
    say "installing JavaScript packages of tests/node"
    # Node brings a list of authorities of its own; those that this machine trusts count too, as they do for pip.
    local trusted=${NODE_EXTRA_CA_CERTS:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
    PATH="$PWD/.venv/bin:$PATH" NODE_EXTRA_CA_CERTS="$trusted" npm --prefix tests/node ci --loglevel=error >&2
    touch "$stamp"
}

install_packages
install_environment
[ "$purpose" != test ] || install_javascript
