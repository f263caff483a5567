#!/usr/bin/env bash
# Finds the programs that the tests start for themselves and installs the missing ones with apt-get, when
# that is possible without asking anybody. It starts no system service and always exits 0: the tests say
# loudly what is missing.
#
#   deploy/install-test-servers.sh           look, and install what is missing
#   deploy/install-test-servers.sh --check   look only
set -u

readonly LEAST_JAVA=17
readonly LEAST_NODE=20
readonly POLICY=/usr/sbin/policy-rc.d
AS_ROOT=()
POLICY_IS_OURS=no
LISTS_ARE_FRESH=no
CHECK_ONLY=no
[ "${1:-}" = "--check" ] && CHECK_ONLY=yes

say() { printf 'test servers: %-10s %s\n' "$1" "$2"; }

# --- how to find each part: prints where it is, or fails ---------------------------------------------------

find_java() {
  local version
  version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${version:-0}" -ge "$LEAST_JAVA" ] && command -v javac >/dev/null && printf 'java %s' "$version"
}

find_maven() { command -v mvn; }

find_node() {
  local version
  version=$(node --version 2>/dev/null)
  version=${version#v}
  [ "${version%%.*}" -ge "$LEAST_NODE" ] 2>/dev/null && command -v npm >/dev/null && printf 'node %s' "$version"
}

find_redis() { command -v redis-server; }

find_postgresql() {
  local program
  for program in /usr/lib/postgresql/*/bin/initdb; do
    [ -x "$program" ] && { dirname "$program"; return; }
  done
  command -v initdb
}

find_compose() { command -v docker-compose; }

find_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

# What is printed is measured in it; another font is wider.
find_font() { fc-list 2>/dev/null | grep -q "Liberation Sans" && printf 'Liberation Sans'; }

# --- how to install ------------------------------------------------------------------------------------------

# Sets AS_ROOT, or fails and leaves the reason in WHY_NOT.
can_install() {
  if [ "$CHECK_ONLY" = yes ]; then
    WHY_NOT="only looking"
  elif ! command -v apt-get >/dev/null; then
    WHY_NOT="there is no apt-get here"
  elif [ "$(id -u)" -eq 0 ]; then
    AS_ROOT=(env)
    return 0
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    AS_ROOT=(sudo -n env)
    return 0
  else
    WHY_NOT="apt-get needs root or sudo without a password"
  fi
  return 1
}

# Debian starts a service as soon as it is installed, unless this file says no.
forbid_services() {
  [ -e "$POLICY" ] && return
  POLICY_IS_OURS=yes
  printf '#!/bin/sh\nexit 101\n' | "${AS_ROOT[@]}" tee "$POLICY" >/dev/null
  "${AS_ROOT[@]}" chmod 755 "$POLICY"
}

allow_services_again() {
  [ "$POLICY_IS_OURS" = yes ] && "${AS_ROOT[@]}" rm -f "$POLICY"
  POLICY_IS_OURS=no
}

apt_get() {
  "${AS_ROOT[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

install_package() {
  if [ "$LISTS_ARE_FRESH" = no ]; then
    say packages "reading the lists of packages"
    apt_get update >"$LOG" 2>&1 || return
    LISTS_ARE_FRESH=yes
  fi
  apt_get install -y --no-install-recommends "$1" >"$LOG" 2>&1
}

# --- one part after the other ----------------------------------------------------------------------------------

# provide NAME PACKAGE: one line that says found, installed or MISSING.
provide() {
  local name=$1 package=$2 where
  if where=$("find_$name"); then
    say "$name" "found ($where)"
  elif ! can_install; then
    say "$name" "MISSING: $WHY_NOT"
  else
    say "$name" "installing $package"
    forbid_services
    if install_package "$package" && where=$("find_$name"); then
      say "$name" "installed ($where)"
    else
      say "$name" "MISSING: apt-get could not install $package: $(grep -v '^$' "$LOG" | tail -n 1)"
    fi
  fi
}

LOG=$(mktemp)
trap 'allow_services_again; rm -f "$LOG"' EXIT
trap 'exit 0' INT TERM

provide java openjdk-17-jdk-headless
provide maven maven
provide node npm
provide redis redis-server
provide postgresql postgresql
provide chromium chromium
provide font fonts-liberation
provide compose docker-compose
exit 0
