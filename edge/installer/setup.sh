#!/bin/sh
# shellcheck disable=SC2153 # a bundle renders the values in capitals above (templates/core/setup.sh.njk)
# Installs the AWS IoT Greengrass core device of this bundle; `sh setup.sh --help` says how.
# Everything below is functions, and the last line calls main: a truncated script does nothing.
set -eu
umask 077
# Options that unzip(1) would take from root's environment, e.g. another folder.
unset UNZIP UNZIPOPT ZIPINFO ZIPINFOOPT

UNIT=/etc/systemd/system/greengrass.service
STATE_ROOT=/var/lib/dospesos
# One for the device: two cores are not set up at the same time. /run is root's own, and empty after a restart.
LOCK=/run/dospesos.lock
IDENTITY="device.pem.crt private.pem.key $ROOT_CA"
BUNDLE_FILES="config.yaml $IDENTITY setup.sh uninstall.sh"
PROBLEMS=
LOG=
STEP=

usage() {
  cat << 'END'
usage: sudo sh setup.sh [--check | --dry-run | --uninstall] [--yes] [--nucleus FILE] [--offline] [--sandbox-ok]

  --check         look whether this device can be a Greengrass core; changes nothing
  --dry-run       the same, and list each step; changes nothing
  --yes           install without asking
  --nucleus FILE  the nucleus zip, if greengrass-VERSION.zip is not beside setup.sh or its folder
  --offline       install though AWS cannot be reached from here now
  --uninstall     remove what setup.sh has made
  --sandbox-ok    install a bundle whose core the sandbox simulates

exit code: 0 done, 1 a step failed, 2 wrong usage or a check failed, 4 a person must answer
END
}

say() {
  printf '%s\n' "$1"
  if [ -n "$LOG" ]; then printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >> "$LOG"; fi
}

# problem WHAT WHY FIX: one more entry of the list that is shown at the end of the checks.
problem() {
  PROBLEMS="${PROBLEMS}error: $1
  why: $2
  fix: $3
"
}

fail() {
  STEP=
  say "error: $1" >&2
  say "  fix: $2; then run setup.sh again, it resumes where it stopped" >&2
  if [ -n "$LOG" ]; then printf '  log: %s\n' "$LOG" >&2; fi
  exit 1
}

wrong_usage() {
  printf 'error: %s\n' "$1" >&2
  usage >&2
  exit 2
}

# The file of the bundle that FILE comes from; a key that was made here waits where dospesos request has put it.
source_of_file() {
  if [ "$FILE" = private.pem.key ] && [ "$KEY_ON_DEVICE" = true ]; then printf '%s\n' "$STATE/$FILE"; else printf '%s\n' "$1/$FILE"; fi
}

# ---- checks: each one only looks and adds to the list

check_root() {
  if [ "$(id -u)" != 0 ]; then
    problem "not run as root" "the nucleus, its service and its user need root" "sudo sh $BUNDLE/setup.sh"
  fi
}

check_commands() {
  missing=
  for name in awk cat chmod chown cmp cp cut date df dirname echo find flock getconf getent gpasswd grep groupadd \
    groupdel head id kill ln ls mkdir mv ps readlink rm rmdir sed sh sha256sum sleep sort sudo sync systemctl tail timeout \
    touch tr uname unzip useradd userdel usermod wc; do
    command -v "$name" > /dev/null 2>&1 || missing="$missing $name"
  done
  if [ -n "$missing" ]; then
    problem "commands are missing:$missing" \
      "this script and the nucleus call them" "install the packages that bring them"
  fi
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

check_processor() {
  case $(uname -m) in
    x86_64 | aarch64 | arm64 | armv7l | armv8l) ;;
    *) problem "this processor is $(uname -m)" "AWS makes the nucleus for x86_64, Armv8 and Armv7l" "use another device" ;;
  esac
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

check_disk() {
  if nucleus_holds; then return 0; fi
  folder=$ROOT
  case $folder in /*) ;; *) return 0 ;; esac
  while [ -n "$folder" ] && [ ! -d "$folder" ]; do folder=${folder%/*}; done
  free=$(df -Pk "${folder:-/}" 2> /dev/null | awk 'NR == 2 { print $4 }')
  if [ "${free:-0}" -lt 262144 ]; then
    problem "$((${free:-0} / 1024)) MB free on ${folder:-/}, 256 MB needed" \
      "the nucleus unpacks there" "free some space, or change root"
  fi
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

check_systemd() {
  case $(readlink /sbin/init 2> /dev/null) in
    *systemd*) ;;
    *) problem "/sbin/init is no link to systemd" \
      "the nucleus' installer knows systemd by that link" "use a system with systemd" ;;
  esac
  if [ ! -d /run/systemd/system ]; then
    problem "this system was not booted with systemd" \
      "Greengrass runs as a systemd service" "run this on the device, not in a container"
  fi
}

check_clock() {
  if [ "$(date +%s)" -lt "$CERTIFICATE_NOT_BEFORE" ]; then
    problem "the clock says $(date -u '+%Y-%m-%d %H:%M UTC'), before the certificate begins" \
      "every TLS connection would fail" \
      "timedatectl set-ntp true, or set the clock with date"
  elif [ "$(date +%s)" -ge "$CERTIFICATE_NOT_AFTER" ]; then
    problem "the clock says $(date -u '+%Y-%m-%d %H:%M UTC'), after the certificate's end" \
      "every TLS connection would fail" \
      "timedatectl set-ntp true, or set the clock with date; if it is right, build with a new certificate"
  fi
}

# Looks up each name, and connects where there is a bash, which can; a core behind a proxy has other ways.
check_reach() {
  if [ "$OFFLINE" = yes ] || nucleus_holds; then return 0; fi
  for place in $REACH; do
    host=${place%:*} port=${place##*:}
    if ! timeout 10 getent ahosts "$host" > /dev/null; then
      problem "the name $host is not found" "the core connects to it" \
        "$(name_fix), or add --offline to install without"
    elif ! reaches "$host" "$port"; then
      problem "no connection to $host, port $port" "the core needs it" \
        "open the port for outgoing connections, or add --offline to install without"
    fi
  done
}

name_fix() {
  if [ "$SANDBOX" = true ]; then
    echo "put the line that dospesos sandbox prints into /etc/hosts"
  else
    echo "put the network's DNS right"
  fi
}

reaches() {
  command -v bash > /dev/null || return 0
  # shellcheck disable=SC2016 # it is bash that is to expand them
  timeout 10 bash -c 'exec 3<> "/dev/tcp/$1/$2"' bash "$1" "$2" 2> /dev/null
}

check_bundle() {
  missing=
  for name in $BUNDLE_FILES; do
    grep -Eqs "^[0-9a-f]{64}  $name\$" "$BUNDLE/MANIFEST" || missing="$missing $name"
  done
  if [ -n "$missing" ]; then
    problem "$BUNDLE/MANIFEST does not name:$missing" "the bundle is not whole" "copy the bundle folder again"
    return 0
  fi
  damaged=$(cd "$BUNDLE" && sha256sum -c MANIFEST 2> /dev/null | sed -n 's/: FAILED.*//p' | tr '\n' ' ')
  if [ -n "$damaged" ]; then
    problem "not as MANIFEST says: $damaged" \
      "the bundle was damaged or changed on its way" "copy the bundle folder again"
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

check_device_key() {
  if [ "$KEY_ON_DEVICE" != true ] || [ "$(id -u)" != 0 ]; then return 0; fi
  if [ ! -f "$STATE/private.pem.key" ]; then
    problem "there is no key of $THING on this device" "the bundle brings the certificate only" \
      "dospesos request $THING on your laptop, then build and push again"
  elif ! command -v openssl > /dev/null; then
    problem "commands are missing: openssl" "the certificate is compared with this device's key" "apt-get install openssl"
  elif [ "$(openssl x509 -in "$BUNDLE/device.pem.crt" -noout -pubkey 2> /dev/null)" != \
    "$(openssl pkey -in "$STATE/private.pem.key" -pubout 2> /dev/null)" ]; then
    problem "the certificate of the bundle is not for this device's key" "a device with these two cannot connect" \
      "dospesos request $THING on your laptop, then build and push again"
  fi
}

# Only root can look into the record.
check_foreign() {
  [ "$(id -u)" = 0 ] || return 0
  for record in "$STATE_ROOT"/*/record; do
    if [ -f "$record" ] && [ "$record" != "$RECORD" ]; then
      other=${record%/record}
      problem "this device is already the core ${other##*/}" "one device has one nucleus" "sudo sh $other/uninstall.sh"
      return 0
    fi
  done
  old=$(recorded_value root)
  if [ -n "$old" ] && [ "$old" != "$ROOT" ]; then
    problem "$THING is installed in $old, the bundle says $ROOT" \
      "a nucleus cannot be moved" "sudo sh $STATE/uninstall.sh"
  fi
  if [ -e "$UNIT" ] && ! recorded "unit $UNIT"; then
    problem "$UNIT is there and not of this bundle" "it would be overwritten" "uninstall that Greengrass first"
  fi
  if [ -d "$ROOT" ] && [ -n "$(ls -A "$ROOT")" ] && ! recorded "root $ROOT"; then
    thing=$(sed -n 's/.*thingName: *"\{0,1\}\([A-Za-z0-9:_-]*\).*/\1/p' "$ROOT/config/effectiveConfig.yaml" 2> /dev/null \
      | head -n 1)
    problem "$ROOT is not empty${thing:+, it holds the core $thing}" \
      "what is in it would be overwritten" "empty it, or set another root in [greengrass]"
  fi
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

check_sandbox() {
  if [ "$IS_DEVICE" = false ] && [ "$MODE" = install ] && [ "$SANDBOX_OK" = no ]; then
    problem "this is a SANDBOX bundle, and the sandbox simulates its core" \
      "two cores of one name would cut each other off" \
      "set sandbox = device in [core $THING], or account in [aws] to a real account, and build again; or add --sandbox-ok"
  fi
}

stop_for_problems() {
  if [ -z "$PROBLEMS" ]; then return 0; fi
  printf '%s' "$PROBLEMS" >&2
  printf 'nothing was changed\n' >&2
  # Made for the lock alone; with a record in it, it stays.
  rmdir "$STATE" 2> /dev/null || true
  exit 2
}

check_all() {
  for check in root commands processor java glibc disk memory tmp sudoers systemd clock bundle names jvm_options \
    root_folder device_key foreign nucleus reach sandbox; do
    # One that cannot even look, for want of a command, must not keep the others from being shown.
    "check_$check" || true
  done
  stop_for_problems
  say "all checks passed"
}

# ---- the record: what was made, one "KIND VALUE" a line, written before the thing is made, so that a cut leaves no orphan;
# ---- each change replaces the whole file, so that a cut leaves the old one or the new one

record() {
  if recorded "$1"; then return 0; fi
  {
    if [ -f "$RECORD" ]; then cat "$RECORD"; fi
    printf '%s\n' "$1"
  } > "$RECORD.new"
  replace_record
}

# forget KIND: no line of it is left.
forget() {
  if [ -z "$(recorded_value "$1")" ]; then return 0; fi
  sed "/^$1 /d" "$RECORD" > "$RECORD.new"
  replace_record
}

replace_record() {
  sync
  mv -f "$RECORD.new" "$RECORD"
  sync
}

recorded() {
  [ -f "$RECORD" ] && grep -qxF -- "$1" "$RECORD"
}

# The value of a kind that has one.
recorded_value() {
  sed -n "s/^$1 //p" "$RECORD" 2> /dev/null | tail -n 1
}

recipe_version() {
  sed -n "s/^ComponentVersion: *['\"]\{0,1\}\([^'\"]*\).*/\1/p" | head -n 1
}

# One digest of all that the nucleus is set up with.
setup_digest() {
  grep -Es '  (config\.yaml|device\.pem\.crt|private\.pem\.key|(AmazonRootCA1|SandboxCA)\.pem)$' "$BUNDLE/MANIFEST" \
    | sort | sha256sum | cut -d ' ' -f 1
}

# ---- steps: X_holds tells whether a step is done, X_make does it

# Runs a tool that changes /etc/passwd and its like. These lock them by files that hold a process id (shadow-utils). A power
# cut leaves such a file, and after the next start another process may have that id: then none of the tools works.
accounts() {
  for name in passwd shadow group gshadow subuid subgid; do
    # What is to become the lock has the process id as its name, too.
    for lock in "/etc/$name.lock" "/etc/$name".[0-9]*; do
      if [ ! -f "$lock" ]; then continue; fi
      holder=$(head -c 20 "$lock" | tr -cd 0-9)
      case ${lock##*.} in
        lock | "$holder") ;;
        *[!0-9]*) continue ;;
        # The power went before its process id was in it; with anything else in it, it is somebody's own copy.
        *) if [ -s "$lock" ]; then continue; else holder=${lock##*.}; fi ;;
      esac
      account_tool "$holder" || rm -f "$lock"
    done
  done
  "$@"
}

# account_tool ID: whether that process is at work, and such a tool.
account_tool() {
  [ -r "/proc/$1/status" ] || return 1
  case $(sed -n 's/^Name:[[:space:]]*//p; s/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" | tr '\n' ' ') in
    *' Z ') return 1 ;;
    user* | group* | gpasswd* | passwd* | chpasswd* | chage* | chsh* | chfn* | newusers* | vipw* | vigr* | pw*) return 0 ;;
    *) return 1 ;;
  esac
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

# FILE is the name of the one to be put in place. The nucleus may append further CAs to the CA file (fipsMode; from 2.17
# on always).
file_holds() {
  [ -n "$(find "$ROOT/$FILE" -prune -type f -perm "$(file_mode)" -user 0 -group 0 2> /dev/null)" ] || return 1
  case $FILE in
    *CA*.pem) head -c "$(wc -c < "$BUNDLE/$FILE")" "$ROOT/$FILE" | cmp -s - "$BUNDLE/$FILE" ;;
    *) cmp -s "$ROOT/$FILE" "$(source_of_file "$BUNDLE")" ;;
  esac
}
file_mode() {
  case $FILE in
    private.pem.key) echo 400 ;;
    *) echo 600 ;;
  esac
}
file_make() {
  record "file $ROOT/$FILE"
  rm -f "$ROOT/$FILE.new"
  cp "$(source_of_file "$WORK")" "$ROOT/$FILE.new"
  chown 0:0 "$ROOT/$FILE.new"
  chmod "$(file_mode)" "$ROOT/$FILE.new"
  mv -f "$ROOT/$FILE.new" "$ROOT/$FILE"
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

# step TITLE NAME: in a plan it tells whether the step has to be done, else it does it.
step() {
  if "$2_holds"; then
    if [ "$PLAN" = yes ]; then say "  done already  $1"; fi
    return 0
  fi
  if [ "$PLAN" = yes ]; then
    say "  to do         $1"
    TODO=$((TODO + 1))
    return 0
  fi
  say "$1"
  STEP=$1
  "$2_make"
  sync
  "$2_holds" || fail "it did not work: $1" "look at $LOG"
  STEP=
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

ask() {
  if [ "$YES" = yes ]; then return 0; fi
  if [ ! -t 0 ]; then
    printf 'error: nobody can be asked, there is no terminal\n  fix: add --yes to do the steps above\n' >&2
    exit 4
  fi
  printf 'Do these steps as root? [y/N] '
  read -r answer || answer=
  case $answer in
    y | Y | yes) ;;
    *)
      printf 'nothing was changed\n'
      exit 4
      ;;
  esac
}

# A program that fails in a step ends this script (set -e): its step is named, and the exit code is that of a step.
finish() {
  status=$?
  rm -rf "$WORK"
  if [ "$status" != 0 ] && [ -n "$STEP" ]; then
    fail "it did not work: $STEP" "put right what the lines above name, or look at $LOG"
  fi
}

# A run that was killed after its last step has left its copy of the bundle, with the private key in it.
clear_leftovers() {
  [ -e "$STATE/work" ] || return 0
  exec 9> "$LOCK"
  if flock -n 9; then rm -rf "$STATE/work"; fi
}

# From here on something changes: one run at a time, a log, and a checked copy of the bundle that only root can reach.
prepare() {
  mkdir -p "$STATE"
  exec 9> "$LOCK"
  if ! flock -n 9; then
    say "waiting: another setup.sh, or the installer that it has started, is at work"
    timeout 900 flock 9 || fail "another setup.sh is at work for 15 minutes" "wait for it"
  fi
  # Another core may have been set up while a person was asked, or while this run waited.
  check_foreign
  stop_for_problems
  LOG=$STATE/log
  WORK=$STATE/work
  trap finish EXIT
  trap 'STEP=; exit 129' HUP
  trap 'STEP=; exit 130' INT
  trap 'STEP=; exit 143' TERM
  rm -rf "$WORK"
  mkdir "$WORK"
  for name in MANIFEST $BUNDLE_FILES; do cp "$BUNDLE/$name" "$WORK/$name"; done
  for name in $BUNDLE_FILES; do grep -E "  $name\$" "$WORK/MANIFEST"; done > "$WORK/wanted"
  (cd "$WORK" && sha256sum -c wanted) > /dev/null 2>&1 || fail "the bundle changed since it was checked" "copy it again"
  cp "$WORK/uninstall.sh" "$STATE/uninstall.sh"
}

main() {
  # systemd's own search path: a Java that only this shell can find would be of no use to the service.
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  LC_ALL=C
  export PATH LC_ALL
  BUNDLE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
  NUCLEUS=
  MODE=install YES=no OFFLINE=no SANDBOX_OK=no
  if [ "$SANDBOX" = true ]; then printf 'SANDBOX: '; fi
  printf 'Greengrass core device %s\n' "$THING"
  while [ "$#" -gt 0 ]; do
    case $1 in
      --check | --dry-run | --uninstall) MODE=${1#--} ;;
      --yes) YES=yes ;;
      --offline) OFFLINE=yes ;;
      --sandbox-ok) SANDBOX_OK=yes ;;
      --nucleus)
        [ "$#" -ge 2 ] || wrong_usage "--nucleus needs a file"
        NUCLEUS=$2
        shift
        ;;
      --help)
        usage
        exit 0
        ;;
      *) wrong_usage "unknown option $1" ;;
    esac
    shift
  done
  if [ "$KEY_ON_DEVICE" = true ]; then BUNDLE_FILES="config.yaml device.pem.crt $ROOT_CA setup.sh uninstall.sh"; fi
  case $THING in
    [!A-Za-z0-9]* | *[!A-Za-z0-9_-]* | '') wrong_usage "the thing name $THING is not made of A-Z a-z 0-9 _ -" ;;
  esac
  STATE=$STATE_ROOT/$THING
  RECORD=$STATE/record
  KEPT_NUCLEUS=$STATE/greengrass-$VERSION.zip
  USER_NAME=${POSIX_USER%%:*}
  GROUP=
  case $POSIX_USER in *:*) GROUP=${POSIX_USER#*:} ;; esac

  if [ "$MODE" = uninstall ]; then
    if [ "$YES" = yes ]; then exec sh "$BUNDLE/uninstall.sh" --yes; fi
    exec sh "$BUNDLE/uninstall.sh"
  fi
  check_all
  if [ "$MODE" = check ]; then exit 0; fi
  PLAN=yes TODO=0
  steps
  if [ "$TODO" = 0 ]; then
    if [ "$MODE" = install ]; then clear_leftovers; fi
    say "nothing to do"
    exit 0
  fi
  if [ "$MODE" = dry-run ]; then exit 0; fi
  ask
  prepare
  PLAN=no
  steps
  say "done: the core $THING runs; to remove it: sudo sh $STATE/uninstall.sh"
}

main "$@"
