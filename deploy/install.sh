#!/bin/sh
# For systems without dpkg: pms-gateway in /opt/pms-gateway, with its own libraries. Needs root, Python 3.11 or newer
# with venv, and the network (the package for Debian does not). Again over an older one: an update.
#
#   deploy/install.sh               install or update
#   deploy/install.sh --uninstall   remove the program; configuration and data stay
set -eu

root=/opt/pms-gateway
unit=/etc/systemd/system/pms-gateway.service
houses=/etc/systemd/system/pms-gateway@.service
rule=/etc/udev/rules.d/60-pms-line.rules
link=/usr/local/bin/pms-gateway
here=$(cd "$(dirname "$0")/.." && pwd)

say() { echo "pms-gateway: $*"; }
has_systemd() { [ -d /run/systemd/system ]; }
reload_units() { ! has_systemd || systemctl daemon-reload; }

[ "$(id -u)" = 0 ] || { say "this needs root" >&2; exit 1; }

case "${1:-}" in
  --uninstall)
    # `stop` knows patterns and `disable` does not: the template stands for all its houses there.
    ! has_systemd || systemctl stop pms-gateway.service "pms-gateway@*.service" || true
    ! has_systemd || systemctl disable pms-gateway.service pms-gateway@.service || true
    rm -rf "$root"
    rm -f "$unit" "$houses" "$link"
    reload_units
    say "removed. /etc/pms-gateway (passwords), /var/lib/pms-gateway (guests' names), $rule and the user stay."
    exit 0
    ;;
  "") ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  say "Python 3.11 or newer is needed; PYTHON=/path/to/python3.11 $0" >&2
  exit 1
}

# Beside the old one, and exchanged at the end: a download that breaks off changes nothing.
new=$root/$(date +%Y%m%dT%H%M%S)
trap '[ -e "$new/complete" ] || rm -rf "$new"' EXIT
"$python" -m venv "$new"
"$new/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
  -r "$here/requirements.lock"
library=$("$new/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cp -R "$here/gateway" "$here/protocols" "$library/"
printf '%s\n' '#!/bin/sh' "exec $root/current/bin/python -I -m gateway \"\$@\"" > "$new/bin/pms-gateway"
chmod 0755 "$new/bin/pms-gateway"
"$new/bin/python" -m compileall -q "$library/gateway" "$library/protocols"
touch "$new/complete"

sh "$here/deploy/prepare.sh" "$here/deploy/gateway.toml"
old=$(readlink "$root/current" || true)
ln -sfn "$new" "$root/current"
ln -sfn "$root/current/bin/pms-gateway" "$link"
if [ -d /etc/systemd/system ]; then
  for each in "$unit" "$houses"; do
    name=${each##*/}
    sed "s|/usr/bin/pms-gateway|$root/current/bin/pms-gateway|" "$here/deploy/$name" > "$each"
    chmod 0644 "$each"
  done
  reload_units
fi
# A site's own rule stays.
[ ! -d /etc/udev/rules.d ] || [ -e "$rule" ] || install -m 0644 "$here/deploy/60-pms-line.rules" "$rule"

if has_systemd; then
  systemctl try-restart pms-gateway.service "pms-gateway@*.service"
fi
# The version before this one stays, to roll back to; older ones go.
for each in "$root"/2*; do
  [ "$each" = "$new" ] || [ "$each" = "$old" ] || rm -rf "$each"
done
say "$("$link" version) is in $new${old:+; before: $old}"
[ -n "$old" ] || say "next: edit /etc/pms-gateway/gateway.toml, pms-gateway doctor, systemctl enable --now pms-gateway"
