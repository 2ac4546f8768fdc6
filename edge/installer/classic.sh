#!/bin/sh
# shellcheck shell=sh disable=SC2034,SC2154,SC2153 # setup.sh follows it in a bundle, and a head with values stands above
# What setup.sh does on a device with the classic nucleus, which runs on Java.

UNIT=/etc/systemd/system/greengrass.service
CHECKS='java glibc memory tmp sudoers names jvm_options root_folder nucleus'
# What the nucleus and this part call beyond the rest.
COMMANDS='gpasswd groupadd groupdel ls sudo unzip useradd userdel usermod'

# What depends on the values above.
prepare_runtime() {
  IDENTITY_FOLDER=$ROOT
  FILE_GROUP=0
  KEPT_NUCLEUS=$STATE/greengrass-$VERSION.zip
  USER_NAME=${POSIX_USER%%:*}
  GROUP=
  case $POSIX_USER in *:*) GROUP=${POSIX_USER#*:} ;; esac
}

check_java() {
  java=$(java -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p' | head -n 1) || java=
  update=
  case $java in
    1.*) major=${java#1.} major=${major%%[!0-9]*} update=${java#*_} update=${update%%[!0-9]*} ;;
    *) major=${java%%[!0-9]*} ;;
  esac
  if [ -z "$major" ]; then
    problem "no Java in $PATH" "the nucleus runs on Java 8 or newer, and its service looks for it there" \
      "apt-get install default-jre-headless, or link your java into /usr/local/bin"
  elif [ "$major" -lt 8 ]; then
    problem "Java $java is too old" \
      "the nucleus needs Java 8 or newer, 11 is better" "apt-get install default-jre-headless"
  elif [ "$major" = 8 ] && [ "${update:-0}" -lt 252 ] && { [ "$MQTT_PORT" = 443 ] || [ "$DATA_PLANE_PORT" = 443 ]; }; then
    problem "Java $java cannot use port 443" \
      "ALPN came with Java 8u252" "install a newer Java, or set the ports to 8883 and 8443"
  fi
}

check_glibc() {
  glibc=$(getconf GNU_LIBC_VERSION 2> /dev/null) || glibc=
  glibc=${glibc#glibc }
  major=${glibc%%.*}
  minor=${glibc#*.}
  minor=${minor%%[!0-9]*}
  case $major.$minor in
    [0-9]*.[0-9]*)
      if [ "$major" -gt 2 ] || { [ "$major" = 2 ] && [ "$minor" -ge 25 ]; }; then return; fi
      problem "glibc $glibc is too old" \
        "the nucleus needs glibc 2.25 or newer" "use a newer release of the operating system"
      ;;
    *) problem "no GNU C library found" \
      "the nucleus' native parts need glibc 2.25 or newer" "use a system with glibc" ;;
  esac
}

check_memory() {
  if nucleus_holds; then return 0; fi
  free=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
  if [ "${free:-0}" -lt 98304 ]; then
    problem "$((${free:-0} / 1024)) MB of memory free, 96 MB needed" "the nucleus would be killed" "stop other programs"
  fi
}

check_tmp() {
  options=$(awk '$2 == "/" && !tmp { o = $4 } $2 == "/tmp" { tmp = 1; o = $4 } END { print o }' /proc/mounts)
  case ,$options, in
    *,noexec,*) problem "/tmp is mounted noexec" \
      "the nucleus loads native code from there" "mount -o remount,exec /tmp" ;;
  esac
}

check_sudoers() {
  [ "$(id -u)" = 0 ] || return 0
  # sudo knows best what its files mean together; where it refuses this, the line is looked for.
  if sudo -n -u nobody -g daemon true 2> /dev/null < /dev/null; then return 0; fi
  set -- /etc/sudoers
  for file in /etc/sudoers.d/*; do
    if [ -f "$file" ]; then set -- "$@" "$file"; fi
  done
  if ! grep -Eqs '^[[:space:]]*root[[:space:]]+ALL[[:space:]]*=[[:space:]]*\(ALL[[:space:]]*:[[:space:]]*ALL\)' "$@"; then
    problem "sudo may not run a command of root as any user and group" "the nucleus starts components through sudo" \
      "add this line with visudo: root ALL=(ALL:ALL) ALL"
  fi
}

check_root_folder() {
  what=
  case $ROOT in
    *[!A-Za-z0-9/._-]*) what="holds a character other than A-Z a-z 0-9 / . _ -" ;;
    [!/]* | '') what="is not absolute" ;;
    /) what="has less than two levels" ;;
    */ | *//* | */./* | */. | */../* | */..) what="has an empty, . or .. part" ;;
    /bin/* | /boot/* | /dev/* | /etc/* | /lib*/* | /proc/* | /root/* | /run/* | /sbin/* | /sys/* | /tmp/* | /usr/* | \
      /var/tmp/* | /var/run/* | /var/cache/* | /var/lib/dospesos | /var/lib/dospesos/* | /var/lib/dpkg/*) what="is in a system folder" ;;
    /var/*/* | /home/*/*) ;;
    /var/* | /home/*) what="is too near to a system folder" ;;
    /*/*) ;;
    *) what="has less than two levels" ;;
  esac
  if [ -n "$what" ]; then
    problem "the root folder $ROOT $what" "uninstalling removes what is in it, and AWS's own scripts use it unquoted" \
      "set root in [greengrass], for instance /greengrass/v2"
    return 0
  fi
  folder=$ROOT
  while [ -n "$folder" ]; do
    if [ -L "$folder" ]; then
      problem "$folder is a symbolic link" \
        "the root folder could be moved away under the nucleus" "set root to the real path"
    elif [ -d "$folder" ] && [ -z "$(find "$folder" -prune -type d -user 0 ! -perm -020 ! -perm -002)" ]; then
      problem "$folder is not root's own, or others may write to it" \
        "they could put a link where root writes the device's key, or removes a folder" \
        "chown root:root $folder; chmod go-w $folder; or set another root in [greengrass]"
    elif [ -d "$folder" ] && [ "$folder" != "$ROOT" ]; then
      case $(ls -ld "$folder") in
        d????????[xt]*) ;;
        *) problem "others may not enter $folder" \
          "components run as $POSIX_USER and must reach $ROOT" "chmod 0755 $folder" ;;
      esac
    fi
    folder=${folder%/*}
  done
}

# The name of each is put into commands and paths.
check_names() {
  user=${POSIX_USER%%:*}
  for name in "$user" "${POSIX_USER#*:}"; do
    case $name in
      [!a-z_]* | *[!a-z0-9_-]* | '')
        problem "posix_user $POSIX_USER is not USER or USER:GROUP" \
          "it is given to useradd and sudo" "set posix_user = ggc_user:ggc_group"
        return 0
        ;;
    esac
  done
  if [ "$(id -u "$user" 2> /dev/null)" = 0 ]; then
    problem "posix_user $user is root" "components would own the device" "set posix_user = ggc_user:ggc_group"
    return 0
  fi
  # A component that starts containers needs it, so it is no problem, but to be known.
  for name in $(id -Gn "$user" 2> /dev/null) "${POSIX_USER#*:}"; do
    case $name in
      docker | lxd | disk | sudo | wheel)
        say "note: components run as $POSIX_USER, and the group $name is as good as root: they would own the device"
        return 0
        ;;
    esac
  done
}

# The nucleus' own update script (conf/recipe.yaml) puts these options into a shell between double quotes.
check_jvm_options() {
  case $JVM_OPTIONS in
    *[!A-Za-z0-9_.,:=/+@%\ -]*)
      problem "jvm_options holds a character that a shell obeys" \
        "the nucleus puts the options into a shell when it updates itself" \
        "use only A-Z a-z 0-9 _ . , : = / + @ % - and blanks"
      ;;
  esac
}

check_nucleus() {
  if nucleus_holds; then return 0; fi
  find_nucleus
  configured=$(sed -n 's/^    version: "\(.*\)"$/\1/p' "$BUNDLE/config.yaml" 2> /dev/null)
  if [ "$configured" != "$VERSION" ]; then
    problem "config.yaml is for nucleus ${configured:-?}, setup.sh for $VERSION" \
      "the bundle is not of one build" "build and copy the bundle again"
  fi
  # What an installer left that did not end counts for nothing: nucleus_make clears it away.
  if [ -n "$(recorded_value installed)" ] && [ -f "$ROOT/alts/current/distro/conf/recipe.yaml" ]; then
    running=$(recipe_version < "$ROOT/alts/current/distro/conf/recipe.yaml")
    if [ "$running" != "$VERSION" ]; then
      problem "nucleus $running is installed, the bundle is for $VERSION" \
        "an installer does not change the version of an installed nucleus" \
        "set version = $running in [greengrass], or deploy aws.greengrass.Nucleus $VERSION to $THING"
    fi
  fi
  if [ ! -f "$NUCLEUS" ]; then
    problem "no nucleus zip at $NUCLEUS" "this script downloads nothing" \
      "get https://d2s8p88vqu9w66.cloudfront.net/releases/greengrass-$VERSION.zip and give it with --nucleus FILE"
    return 0
  fi
  found=$(sha256sum < "$NUCLEUS")
  if [ "${found%% *}" != "$NUCLEUS_SHA256" ]; then
    problem "$NUCLEUS has sha256 ${found%% *}, not $NUCLEUS_SHA256" \
      "it is damaged or not the nucleus $VERSION" "get it again; do not use this one"
    return 0
  fi
  command -v unzip > /dev/null || return 0
  named=$(unzip -p "$NUCLEUS" conf/recipe.yaml 2> /dev/null | recipe_version)
  if [ "$named" != "$VERSION" ]; then
    problem "$NUCLEUS holds nucleus ${named:-?}, config.yaml says $VERSION" "the core would report a wrong version" \
      "set version = ${named:-VERSION} in [greengrass] and build the bundle again"
  fi
}

# The zip that was named, or the first of its name: beside setup.sh, beside its folder, kept from an earlier run.
find_nucleus() {
  [ -z "$NUCLEUS" ] || return 0
  for NUCLEUS in "$BUNDLE/greengrass-$VERSION.zip" "${BUNDLE%/*}/greengrass-$VERSION.zip" "$KEPT_NUCLEUS"; do
    if [ -f "$NUCLEUS" ]; then return 0; fi
  done
  NUCLEUS=$BUNDLE/greengrass-$VERSION.zip
}

recipe_version() {
  sed -n "s/^ComponentVersion: *['\"]\{0,1\}\([^'\"]*\).*/\1/p" | head -n 1
}

group_holds() { getent group "$GROUP" > /dev/null; }

group_make() {
  record "group $GROUP"
  accounts groupadd --system "$GROUP"
}

user_holds() { getent passwd "$USER_NAME" > /dev/null; }

user_make() {
  record "user $USER_NAME"
  shell=/bin/false
  for nologin in /sbin/nologin /usr/sbin/nologin; do
    if [ -x "$nologin" ]; then shell=$nologin; fi
  done
  if [ -n "$GROUP" ]; then
    accounts useradd --system --create-home --shell "$shell" --gid "$GROUP" "$USER_NAME"
  else
    accounts useradd --system --create-home --shell "$shell" --user-group "$USER_NAME"
  fi
}

member_holds() { id -Gn "$USER_NAME" 2> /dev/null | tr ' ' '\n' | grep -qxF -- "$GROUP"; }

member_make() {
  record "member $USER_NAME $GROUP"
  accounts usermod -a -G "$GROUP" "$USER_NAME"
}

root_holds() { [ -d "$ROOT" ] && recorded "root $ROOT"; }

root_make() {
  made=
  folder=$ROOT
  while [ ! -d "$folder" ]; do
    made="$folder $made"
    folder=${folder%/*}
    [ -n "$folder" ] || break
  done
  for folder in $made; do
    record "folder $folder"
    mkdir -m 0755 "$folder"
  done
  record "root $ROOT"
}

nucleus_holds() {
  [ "$(recorded_value installed)" = "$(setup_digest)" ] && [ -f "$ROOT/alts/current/distro/bin/loader" ] && [ -f "$UNIT" ]
}

nucleus_make() {
  if [ -z "$(recorded_value installed)" ]; then rm -rf "${ROOT:?}/alts"; fi
  # Until the installer has ended well, nothing is installed.
  forget installed
  # It is kept: a change of the configuration runs the installer again.
  if [ "$NUCLEUS" != "$KEPT_NUCLEUS" ]; then
    cp "$NUCLEUS" "$KEPT_NUCLEUS.new"
    mv -f "$KEPT_NUCLEUS.new" "$KEPT_NUCLEUS"
  fi
  found=$(sha256sum < "$KEPT_NUCLEUS")
  if [ "${found%% *}" != "$NUCLEUS_SHA256" ]; then
    rm -f "$KEPT_NUCLEUS"
    fail "the nucleus zip changed since it was checked" "get it again"
  fi
  for old in "$STATE"/greengrass-*.zip*; do
    if [ "$old" != "$KEPT_NUCLEUS" ]; then rm -f "$old"; fi
  done
  mkdir "$WORK/nucleus"
  unzip -q -o "$KEPT_NUCLEUS" -d "$WORK/nucleus"
  # The nucleus takes this file's time as the time of its values: an older one loses against what it knows already.
  touch "$WORK/config.yaml"
  record "unit $UNIT"
  # Its exit code is 0 even when it could not make the service, so only its words count. It keeps the JVM options that
  # it is started with for the service; they are words here, never patterns. It holds the lock as long as it works, also
  # when this script is killed: another run would work in the same folder.
  (
    umask 022
    set -f
    cd /
    # shellcheck disable=SC2086
    exec timeout 600 java $JVM_OPTIONS "-Droot=$ROOT" -Dlog.store=FILE -jar "$WORK/nucleus/lib/Greengrass.jar" \
      --init-config "$WORK/config.yaml" --component-default-user "$POSIX_USER" --setup-system-service true
  ) < /dev/null > "$WORK/installer.log" 2>&1 || say "the nucleus' installer ended with exit code $?"
  cat "$WORK/installer.log" >> "$LOG"
  if ! grep -qF 'Successfully set up Nucleus as a system service' "$WORK/installer.log"; then
    tail -n 20 "$WORK/installer.log" >&2
    fail "the nucleus' installer did not set up its service" "put right what the lines above name"
  fi
  case $(readlink -f "$ROOT/alts/current/distro") in
    "$ROOT"/*) ;;
    *) fail "the nucleus did not copy itself into $ROOT" "use nucleus 2.9.5 or newer" ;;
  esac
  record "installed $(setup_digest)"
}

service_holds() { systemctl is-enabled --quiet greengrass.service && systemctl is-active --quiet greengrass.service; }

service_make() {
  systemctl enable --quiet greengrass.service
  # From nucleus 2.17 on the service waits for time-sync.target, on a device without a time server for ever.
  systemctl start --no-block greengrass.service
  seconds=0
  until systemctl is-active --quiet greengrass.service; do
    if [ "$seconds" -ge 60 ]; then
      if grep -qs time-sync.target "$UNIT" && ! systemctl is-active --quiet time-sync.target; then
        fail "the service greengrass waits for the clock to be set (time-sync.target)" \
          "give the device a time server: timedatectl set-ntp true, see timedatectl timesync-status"
      fi
      fail "the service greengrass is not active after 60 seconds" "look at $ROOT/logs/loader.log"
    fi
    sleep 1
    seconds=$((seconds + 1))
  done
  # A nucleus that dies of its settings does so in the first seconds.
  sleep 2
}

steps() {
  if [ -n "$GROUP" ]; then step "make the system group $GROUP" group; fi
  step "make the system user $USER_NAME" user
  if [ -n "$GROUP" ]; then step "put $USER_NAME into $GROUP" member; fi
  step "make the folder $ROOT" root
  for FILE in $IDENTITY; do step "put $ROOT/$FILE in place" file; done
  step "install nucleus $VERSION with its service greengrass" nucleus
  step "start the service greengrass at every boot, and now" service
}

file_mode() {
  case $FILE in
    private.pem.key) echo 400 ;;
    *) echo 600 ;;
  esac
}
