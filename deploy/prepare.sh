#!/bin/sh
# Makes what the service needs on a machine: its user, its folders, a first configuration.
# Twice is as once: what a site has written is never touched.   prepare.sh EXAMPLE
set -e
user=pms-gateway
etc=/etc/pms-gateway

getent group dialout >/dev/null || groupadd --system dialout
getent passwd "$user" >/dev/null ||
  useradd --system --user-group --no-create-home --home-dir /var/lib/pms-gateway \
    --shell /usr/sbin/nologin --comment "hotel PMS gateway" "$user"

install -d -m 0750 -o root -g "$user" "$etc"
install -d -m 0700 -o "$user" -g "$user" /var/lib/pms-gateway
# The service reads its configuration itself, and systemd hands it the two passwords: they are root's.
[ -e "$etc/gateway.toml" ] || install -m 0640 -o root -g "$user" "$1" "$etc/gateway.toml"
for secret in ucm-password pms-password; do
  [ -e "$etc/$secret" ] || install -m 0600 -o root -g root /dev/null "$etc/$secret"
done
