#!/bin/sh
# Installs the real peers of the tests. Services that the packages bring are not started: the tests run their own.
set -eu
# One line for each kind of peer.
packages="swaks libnet-ssleay-perl postfix
  dovecot-core dovecot-lmtpd
  slapd ldap-utils python3-ldap python3-ldap3
  samba samba-dsdb-modules samba-vfs-modules samba-ad-provision
  nsd unbound ldnsutils
  nginx libnginx-mod-mail
  python3-dkim python3-seccomp
  pebble openssl gnutls-bin libnss3-tools testssl.sh dnsutils
  systemd iproute2 tmux"
# Conflicts with postfix as a mail server: unpacked into a folder, for the tests alone.
unpacked="exim4-daemon-light libidn12"
folder=/var/cache/edge-peers
missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
absent=""
[ -x "$folder/usr/sbin/exim4" ] || absent="$unpacked"
[ -z "$missing$absent" ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "These packages are missing and only root can install them:$missing $absent" >&2
  echo "The suites that need them will say so." >&2
  exit 0
fi
echo "Installing:$missing $absent" >&2
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
[ -z "$missing" ] || apt-get install -y -qq --no-install-recommends $missing >/dev/null
if [ -n "$absent" ]; then
  mkdir -p "$folder/packages"
  # shellcheck disable=SC2086
  (cd "$folder/packages" && apt-get download -qq $absent 2>/dev/null)
  for package in "$folder"/packages/*.deb; do dpkg -x "$package" "$folder"; done
fi
