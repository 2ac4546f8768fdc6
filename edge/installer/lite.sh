#!/bin/sh
# shellcheck shell=sh disable=SC2034,SC2154,SC2153 # setup.sh follows it in a bundle, and a head with values stands above
# What setup.sh does on a device with nucleus lite: AWS's Debian package, its configuration, and this core's identity.

CHECKS='package libraries'
COMMANDS='apt-get dpkg dpkg-deb dpkg-query getent userdel groupdel'
PACKAGE=aws-greengrass-lite
TARGET=greengrass-lite.target
# The target stays active while its daemons fail and start again: this one holds the connection.
DAEMON=ggl.core.iotcored.service
# The package writes its defaults here, which win over config.yaml: ours take their place.
CONFIG=/etc/greengrass/config.d/greengrass-lite.yaml

prepare_runtime() {
  # Root's own, so that no service of Greengrass can put a link where root writes.
  IDENTITY_FOLDER=/etc/greengrass/dospesos
  FILE_GROUP=ggcore
  KEPT_NUCLEUS=$STATE/$PACKAGE-$VERSION.deb
}

find_nucleus() {
  [ -z "$NUCLEUS" ] || return 0
  for NUCLEUS in "$BUNDLE/$PACKAGE-$VERSION.deb" "${BUNDLE%/*}/$PACKAGE-$VERSION.deb" "$KEPT_NUCLEUS"; do
    if [ -f "$NUCLEUS" ]; then return 0; fi
  done
  NUCLEUS=$BUNDLE/$PACKAGE-$VERSION.deb
}

check_package() {
  if nucleus_holds; then return 0; fi
  find_nucleus
  if [ ! -f "$NUCLEUS" ]; then
    problem "there is no package of nucleus lite $VERSION here" "this script downloads nothing" \
      "put $PACKAGE-$VERSION.deb beside setup.sh, or set package in [lite]; AWS has it in the releases of $PACKAGE"
    return 0
  fi
  found=$(sha256sum < "$NUCLEUS")
  if [ "${found%% *}" != "$NUCLEUS_SHA256" ]; then
    problem "$NUCLEUS is not the package that the settings name" "its digest is ${found%% *}, the bundle says $NUCLEUS_SHA256" \
      "get it again; do not use this one, or correct sha256 in [lite]"
    return 0
  fi
  named=$(dpkg-deb --field "$NUCLEUS" Package Version 2> /dev/null | sed 's/^[^:]*: //' | tr '\n' ' ')
  if [ "$named" != "$PACKAGE $VERSION " ]; then
    problem "$NUCLEUS holds ${named:-no package}" "the bundle is for $PACKAGE $VERSION" "set version in [lite]"
  fi
}

# Where apt can do it, it brings what is missing; this only says what that would be.
check_libraries() {
  if nucleus_holds || [ ! -f "$NUCLEUS" ]; then return 0; fi
  if ! apt-get install --simulate --quiet=2 --no-remove --allow-downgrades "$(real_path "$NUCLEUS")" > /dev/null 2>&1; then
    problem "apt cannot install $NUCLEUS here" "a library that it needs is missing, and no source of apt has it" \
      "apt-get update, or install by hand what this names: $(dpkg-deb --field "$NUCLEUS" Depends | tr -s ' \n' ' ')"
  fi
}

# apt takes a file by its path only.
real_path() { readlink -f -- "$1"; }

installed_version() { dpkg-query --show --showformat='${db:Status-Abbrev}${Version}' "$PACKAGE" 2> /dev/null | sed -n 's/^ii *//p'; }

nucleus_holds() { [ "$(installed_version)" = "$VERSION" ] && [ -n "$(recorded_value package)" ]; }
nucleus_make() {
  for home in /home/ggcore /home/gg_component; do
    if [ ! -e "$home" ]; then record "home $home"; fi
  done
  record "package $PACKAGE"
  cp "$NUCLEUS" "$KEPT_NUCLEUS.new"
  mv -f "$KEPT_NUCLEUS.new" "$KEPT_NUCLEUS"
  found=$(sha256sum < "$KEPT_NUCLEUS")
  if [ "${found%% *}" != "$NUCLEUS_SHA256" ]; then
    rm -f "$KEPT_NUCLEUS"
    fail "the package of nucleus lite changed since it was checked" "get it again"
  fi
  for old in "$STATE/$PACKAGE"-*.deb*; do
    if [ "$old" != "$KEPT_NUCLEUS" ]; then rm -f "$old"; fi
  done
  # Its script makes users with useradd, which fails where they are there: another version is removed first. Half of an
  # installation, too.
  if dpkg-query --show "$PACKAGE" > /dev/null 2>&1; then
    systemctl stop "$TARGET" || true
    forget started
    remove_package
  fi
  (
    umask 022
    DEBIAN_FRONTEND=noninteractive exec apt-get install --yes --quiet=2 --no-remove --allow-downgrades --no-install-recommends "$KEPT_NUCLEUS"
  ) < /dev/null > "$WORK/installer.log" 2>&1 || say "apt ended with exit code $?"
  cat "$WORK/installer.log" >> "$LOG"
  if [ "$(installed_version)" != "$VERSION" ]; then
    tail -n 20 "$WORK/installer.log" >&2
    fail "apt did not install nucleus lite $VERSION" "put right what the lines above name"
  fi
}

# What the package's own script stumbles over is put right before it is called.
remove_package() {
  for name in ggcore gg_component; do
    getent group "$name" > /dev/null || accounts groupadd "$name"
    getent passwd "$name" > /dev/null || accounts useradd --no-create-home --gid "$name" "$name"
  done
  accounts dpkg --remove --force-remove-reinstreq "$PACKAGE" >> "$LOG" 2>&1 || true
}

folder_holds() { [ -n "$(find "$IDENTITY_FOLDER" -prune -type d -perm 750 -user 0 -group "$FILE_GROUP" 2> /dev/null)" ]; }
folder_make() {
  record "folder $IDENTITY_FOLDER"
  mkdir -p "$IDENTITY_FOLDER"
  chown "0:$FILE_GROUP" "$IDENTITY_FOLDER"
  chmod 750 "$IDENTITY_FOLDER"
}

file_mode() { echo 440; }

config_holds() { cmp -s "$BUNDLE/config.yaml" "$CONFIG"; }
config_make() {
  record "file $CONFIG"
  cp "$WORK/config.yaml" "$CONFIG.new"
  chmod 644 "$CONFIG.new"
  mv -f "$CONFIG.new" "$CONFIG"
}

service_holds() {
  [ "$(recorded_value started)" = "$(setup_digest)" ] && systemctl is-active --quiet "$TARGET" \
    && systemctl is-active --quiet "$DAEMON"
}
service_make() {
  forget started
  record "units $TARGET"
  systemctl daemon-reload
  # It reads its configuration when it starts.
  systemctl restart "$TARGET"
  seconds=0
  until systemctl is-active --quiet "$TARGET" && systemctl is-active --quiet "$DAEMON"; do
    if [ "$seconds" -ge 60 ]; then
      fail "$DAEMON is not active after 60 seconds" "look at journalctl -t iotcored"
    fi
    sleep 1
    seconds=$((seconds + 1))
  done
  # One that dies of its settings does so in the first seconds.
  sleep 2
  record "started $(setup_digest)"
}

steps() {
  step "install the package $PACKAGE $VERSION" nucleus
  step "make the folder $IDENTITY_FOLDER" folder
  for FILE in $IDENTITY; do step "put $IDENTITY_FOLDER/$FILE in place" file; done
  step "put $CONFIG in place" config
  step "start $TARGET at every boot, and now" service
}
