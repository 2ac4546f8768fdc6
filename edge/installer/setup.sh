#!/bin/sh
# shellcheck disable=SC2034,SC2153 # a bundle renders the values in capitals above (templates/core/setup.sh.njk)
# Installs the AWS IoT Greengrass core device of this bundle; `sh setup.sh --help` says how.
# Everything below is functions, and the last line calls main: a truncated script does nothing.
set -eu
umask 077
# Options that unzip(1) would take from root's environment, e.g. another folder.
unset UNZIP UNZIPOPT ZIPINFO ZIPINFOOPT

STATE_ROOT=/var/lib/dospesos
CLASSIC_UNIT=/etc/systemd/system/greengrass.service
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
  --nucleus FILE  the nucleus (a zip, or the package of nucleus lite), if it is not beside setup.sh or its folder
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
  for name in awk cat chmod chown cmp cp cut date df dirname echo find flock getconf getent grep head id kill ln ls mkdir mv \
    ps readlink rm rmdir sed sh sha256sum sleep sort sync systemctl tail timeout touch tr uname wc $COMMANDS; do
    command -v "$name" > /dev/null 2>&1 || missing="$missing $name"
  done
  if [ -n "$missing" ]; then
    problem "commands are missing:$missing" \
      "this script and the nucleus call them" "install the packages that bring them"
  fi
}

check_processor() {
  case $(uname -m) in
    x86_64 | aarch64 | arm64 | armv7l | armv8l) ;;
    *) problem "this processor is $(uname -m)" "AWS makes the nucleus for x86_64, Armv8 and Armv7l" "use another device" ;;
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

lite_is_there() {
  [ -e /lib/systemd/system/greengrass-lite.target ] || [ -e /etc/systemd/system/greengrass-lite.target ]
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
  # A core of that name in another account, region or environment is another core.
  old=$(recorded_value world)
  if [ -n "$old" ] && [ "$old" != "$WORLD" ]; then
    problem "$THING here is the one of $old, the bundle is for $WORLD" \
      "a bundle goes to the device of its own environment" "push it to that device, or: sudo sh $STATE/uninstall.sh"
  fi
  # Two cores with one name would cut each other off for ever; two of other names fight over ports and files.
  if [ -e "$CLASSIC_UNIT" ] && ! recorded "unit $CLASSIC_UNIT"; then
    problem "$CLASSIC_UNIT is there and not of this bundle" "one device has one nucleus" "uninstall that Greengrass first"
  elif lite_is_there && [ -z "$(recorded_value package)" ]; then
    problem "AWS's nucleus lite is there and not of this bundle" "one device has one nucleus" \
      "uninstall that Greengrass first: apt-get purge aws-greengrass-lite"
  fi
  if [ -d "$ROOT" ] && [ -n "$(ls -A "$ROOT")" ] && ! recorded "root $ROOT" && [ -z "$(recorded_value package)" ]; then
    thing=$(sed -n 's/.*thingName: *"\{0,1\}\([A-Za-z0-9:_-]*\).*/\1/p' "$ROOT/config/effectiveConfig.yaml" 2> /dev/null \
      | head -n 1)
    problem "$ROOT is not empty${thing:+, it holds the core $thing}" \
      "what is in it would be overwritten" "empty it, or set another root in [greengrass]"
  fi
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
  # shellcheck disable=SC2086
  for check in root commands processor disk systemd clock bundle $CHECKS device_key foreign reach sandbox; do
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

# FILE is the name of the one to be put in place. The nucleus may append further CAs to the CA file (fipsMode; from 2.17
# on always).
file_holds() {
  placed=$IDENTITY_FOLDER/$FILE
  [ -n "$(find "$placed" -prune -type f -perm "$(file_mode)" -user 0 -group "$FILE_GROUP" 2> /dev/null)" ] || return 1
  case $FILE in
    *CA*.pem) head -c "$(wc -c < "$BUNDLE/$FILE")" "$placed" | cmp -s - "$BUNDLE/$FILE" ;;
    *) cmp -s "$placed" "$(source_of_file "$BUNDLE")" ;;
  esac
}
file_make() {
  placed=$IDENTITY_FOLDER/$FILE
  record "file $placed"
  rm -f "$placed.new"
  cp "$(source_of_file "$WORK")" "$placed.new"
  chown "0:$FILE_GROUP" "$placed.new"
  chmod "$(file_mode)" "$placed.new"
  mv -f "$placed.new" "$placed"
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
  record "world $WORLD"
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
  prepare_runtime

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
