#!/bin/sh
# Makes the user that the server runs as, and gives it its directories. Run by `make install` as root.
set -e
getent group astcti >/dev/null || groupadd --system astcti
getent passwd astcti >/dev/null ||
    useradd --system --gid astcti --home-dir /var/lib/astcti --no-create-home --shell /usr/sbin/nologin astcti
chown root:astcti /etc/astcti
chown astcti:astcti /var/lib/astcti
