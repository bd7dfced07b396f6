#!/bin/sh
# Makes the user that the Configurator runs as, and lets it publish into the server's directory. Run by
# `make install` as root, after the server's user was made.
set -e
getent group astcti-configurator >/dev/null || groupadd --system astcti-configurator
getent passwd astcti-configurator >/dev/null ||
    useradd --system --gid astcti-configurator --home-dir /var/lib/astcti-configurator --no-create-home \
        --shell /usr/sbin/nologin astcti-configurator
usermod --append --groups astcti astcti-configurator
chown astcti-configurator:astcti-configurator /var/lib/astcti-configurator
# Group and setgid: the server reads what is published. Sticky: nobody but root moves or removes what is
# root's there, such as server.xml.
chown root:astcti /etc/astcti
chmod 3770 /etc/astcti
