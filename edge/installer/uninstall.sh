#!/bin/sh
# Removes what setup.sh has made on this device, and nothing else; `sh uninstall.sh --help` says how.
# Everything below is functions, and the last line calls main: a truncated script does nothing.
set -eu
umask 077

STATE_ROOT=/var/lib/dospesos
LOCK=/run/dospesos.lock
# What a nucleus makes in its root folder.
NUCLEUS_NAMES='alts bin cli_ipc_info config deployments ipc.socket logs packages plugins telemetry work'
KEPT=
FAILED=
IGNORED=

usage() {
  cat << 'END'
usage: sudo sh uninstall.sh [--yes]

Removes the service, files, folders, user and group that setup.sh has made here. What it did not make stays.
The cloud part (thing, certificate, policies) stays.

exit code: 0 done, 1 something could not be removed, 2 wrong usage, 4 a person must answer
END
}

# The record, newest line first; of a last line that a cut has torn nothing.
backwards() {
  if [ -n "$(tail -c 1 "$RECORD")" ]; then sed '$d' "$RECORD"; else cat "$RECORD"; fi | sed -n '1!G;h;$p'
}

# is_safe KIND VALUE: what setup.sh could have written, by its own rules; root obeys nothing else.
is_safe() {
  case $2 in *[!A-Za-z0-9_./\ -]* | */../* | */.. | */./* | */. | *//*) return 1 ;; esac
  case $1 in
    root) is_root_folder "$2" && is_roots_own "${2%/*}" ;;
    package) [ "$2" = aws-greengrass-lite ] ;;
    home) [ "$2" = /home/ggcore ] || [ "$2" = /home/gg_component ] ;;
    units) [ "$2" = greengrass-lite.target ] ;;
    folder) case $2 in /?*) ;; *) return 1 ;; esac ;;
    file) is_lite_file "$2" || is_plain_file "$2" ;;
    unit) [ "$2" = /etc/systemd/system/greengrass.service ] ;;
    user | group) case $2 in root | *[!a-z0-9_-]* | '') return 1 ;; esac ;;
    member) case $2 in *\ *\ * | root\ * | *[!a-z0-9_\ -]*) return 1 ;; *\ *) ;; *) return 1 ;; esac ;;
    installed | started | world) ;;
    *) return 1 ;;
  esac
}

# What setup.sh puts below /etc for nucleus lite.
is_lite_file() {
  case $1 in
    /etc/greengrass/dospesos/*/*) return 1 ;;
    /etc/greengrass/dospesos/?* | /etc/greengrass/config.d/greengrass-lite.yaml) is_roots_own "${1%/*}" ;;
    *) return 1 ;;
  esac
}
is_plain_file() { is_root_folder "${1%/*}" && is_roots_own "${1%/*}"; }

# As setup.sh's check_root_folder has it.
is_root_folder() {
  case $1 in
    *\ *) return 1 ;;
    /bin/* | /boot/* | /dev/* | /etc/* | /lib*/* | /proc/* | /root/* | /run/* | /sbin/* | /sys/* | /tmp/* | /usr/* | \
      /var/tmp/* | /var/run/* | /var/cache/* | /var/lib/dospesos | /var/lib/dospesos/* | /var/lib/dpkg/*) return 1 ;;
    /var/*/* | /home/*/*) ;;
    /var/* | /home/*) return 1 ;;
    /*/*) ;;
    *) return 1 ;;
  esac
}

# Each part of the path that is there is root's own, and nobody else may write to it: so nobody else can put a link there.
is_roots_own() {
  part=$1
  while [ -n "$part" ]; do
    if [ -e "$part" ] && [ -z "$(find "$part" -prune -type d -user 0 ! -perm -020 ! -perm -002)" ]; then return 1; fi
    part=${part%/*}
  done
}

describe() {
  is_safe "$1" "$2" || return 0
  case $1 in
    package) printf '  remove the package %s, with its configuration and data\n' "$2" ;;
    home) printf '  remove the home folder %s\n' "$2" ;;
    units) printf '  stop %s, and remove the services of components\n' "$2" ;;
    unit) printf '  stop and remove the service %s\n' "$2" ;;
    root) printf '  remove the nucleus and its data from %s\n' "$2" ;;
    file) printf '  remove the file %s\n' "$2" ;;
    folder) printf '  remove the folder %s if it is empty then\n' "$2" ;;
    member) printf '  take the user %s out of the group %s\n' "${2%% *}" "${2#* }" ;;
    user) printf '  remove the user %s and its home folder\n' "$2" ;;
    group) printf '  remove the group %s\n' "$2" ;;
    *) ;;
  esac
}

# Each of these finds nothing to do where an earlier run has been.

# A setup.sh that was interrupted may have left a unit that systemd has not read yet, or half of one, which cannot be disabled.
undo_unit() {
  if [ -e "$1" ]; then
    systemctl daemon-reload || return 1
    systemctl stop greengrass.service || return 1
    systemctl disable --quiet greengrass.service || rm -f -- "${1%/*}"/*.wants/greengrass.service
    rm -f -- "$1" || return 1
  fi
  systemctl daemon-reload || return 1
  # Fails where there is no failed unit, which is just as well.
  systemctl reset-failed greengrass.service > /dev/null 2>&1 || true
}

# Nucleus lite makes a service of each component, which no package owns.
undo_units() {
  systemctl daemon-reload || return 1
  systemctl stop "$1" 'ggl.*' 2> /dev/null || true
  for unit in /lib/systemd/system/ggl.*.service /lib/systemd/system/ggl.*.socket "/lib/systemd/system/$1" \
    /etc/systemd/system/ggl.*.service; do
    if [ -e "$unit" ]; then systemctl disable --quiet "${unit##*/}" 2> /dev/null || true; fi
  done
  rm -f -- /etc/systemd/system/ggl.*.service /etc/systemd/system/*.wants/ggl.* /etc/systemd/system/*.wants/"$1" || return 1
  rm -rf -- "/etc/systemd/system/$1.wants" /run/greengrass || return 1
  systemctl daemon-reload || return 1
  systemctl reset-failed 'ggl.*' > /dev/null 2>&1 || true
}

# The package's script removes its users with userdel, which fails where they are gone: half of an uninstallation is made
# whole first.
undo_package() {
  if dpkg-query --show "$1" > /dev/null 2>&1; then
    if [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1")" != config-files ]; then
      for name in ggcore gg_component; do
        getent group "$name" > /dev/null || accounts groupadd "$name" || return 1
        getent passwd "$name" > /dev/null || accounts useradd --no-create-home --gid "$name" "$name" || return 1
      done
    fi
    said=$(accounts dpkg --purge --force-remove-reinstreq "$1" 2>&1) || {
      printf '%s\n' "$said" >&2
      return 1
    }
  fi
  rm -rf -- /var/lib/greengrass /etc/greengrass
}

undo_home() {
  if ! getent passwd "${1##*/}" > /dev/null; then rm -rf -- "$1"; fi
}

undo_root() {
  for name in $NUCLEUS_NAMES; do rm -rf -- "${1:?}/$name" || return 1; done
}

undo_file() {
  rm -f -- "$1" "$1.new"
}

undo_folder() {
  if [ -d "$1" ] && ! rmdir -- "$1" 2> /dev/null; then
    KEPT="$KEPT
  $1, with: $(cd "$1" && find . ! -name . -prune | tr '\n' ' ')"
  fi
}

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

undo_member() {
  if id -Gn "${1%% *}" 2> /dev/null | tr ' ' '\n' | grep -qxF -- "${1#* }"; then
    accounts gpasswd -d "${1%% *}" "${1#* }" > /dev/null
  fi
}

undo_user() {
  if ! getent passwd "$1" > /dev/null; then
    if ! getent shadow "$1" > /dev/null; then return 0; fi
    # A power cut in the middle of userdel left half of it: whole again it can be removed.
    accounts useradd --system --no-create-home "$1" || return 1
  fi
  # It speaks of a mailbox that is not there, too: what it says counts only where it fails.
  said=$(accounts userdel --remove "$1" 2>&1) || {
    printf '%s\n' "$said" >&2
    return 1
  }
}

undo_group() {
  if ! getent group "$1" > /dev/null; then
    if ! getent gshadow "$1" > /dev/null; then return 0; fi
    accounts groupadd --system "$1" || return 1
  fi
  accounts groupdel "$1"
}

undo() {
  while read -r kind value; do
    case $kind in
      installed | started | world) ;;
      *)
        if ! is_safe "$kind" "$value"; then
          IGNORED="$IGNORED
  $kind $value"
          continue
        fi
        "undo_$kind" "$value" < /dev/null || FAILED="$FAILED
  $kind $value"
        ;;
    esac
  done << END
$(backwards)
END
  # A cut may have left a lock behind the last change.
  accounts true
}

ask() {
  if [ "$YES" = yes ]; then return 0; fi
  if [ ! -t 0 ]; then
    printf 'error: nobody can be asked, there is no terminal\n  fix: add --yes to do the steps above\n' >&2
    exit 4
  fi
  printf 'Remove these as root? [y/N] '
  read -r answer || answer=
  case $answer in
    y | Y | yes) ;;
    *)
      printf 'nothing was changed\n'
      exit 4
      ;;
  esac
}

main() {
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  LC_ALL=C
  export PATH LC_ALL
  YES=no
  if [ "$SANDBOX" = true ]; then printf 'SANDBOX: '; fi
  printf 'Greengrass core device %s: uninstall\n' "$THING"
  while [ "$#" -gt 0 ]; do
    case $1 in
      --yes) YES=yes ;;
      --help)
        usage
        exit 0
        ;;
      *)
        printf 'error: unknown option %s\n' "$1" >&2
        usage >&2
        exit 2
        ;;
    esac
    shift
  done
  case $THING in
    [!A-Za-z0-9]* | *[!A-Za-z0-9_-]* | '')
      printf 'error: not a thing name: %s\n' "$THING" >&2
      exit 2
      ;;
  esac
  if [ "$(id -u)" != 0 ]; then
    printf 'error: not run as root\n  fix: sudo sh %s\n' "$0" >&2
    exit 2
  fi
  STATE=$STATE_ROOT/$THING
  RECORD=$STATE/record
  if [ ! -f "$RECORD" ]; then
    rm -rf -- "$STATE"
    rmdir "$STATE_ROOT" 2> /dev/null || true
    printf 'nothing to do: %s is not installed here\n' "$THING"
    exit 0
  fi
  backwards | while read -r kind value; do describe "$kind" "$value"; done
  ask
  exec 9> "$LOCK"
  if ! flock -n 9; then
    printf 'waiting: a setup.sh, or the installer that it has started, is at work\n'
    if ! timeout 900 flock 9; then
      printf 'error: a setup.sh is at work for 15 minutes\n  fix: wait for it, then run this again\n' >&2
      exit 1
    fi
  fi
  undo
  if [ -n "$FAILED" ]; then
    printf 'error: could not remove:%s\n  fix: put it right and run this again\n' "$FAILED" >&2
    exit 1
  fi
  rm -rf -- "$STATE"
  rmdir "$STATE_ROOT" 2> /dev/null || true
  if [ -n "$IGNORED" ]; then printf 'not done, because setup.sh writes no such lines into its record:%s\n' "$IGNORED"; fi
  if [ -n "$KEPT" ]; then printf 'kept, because not all in it was made by setup.sh:%s\n' "$KEPT"; fi
  printf 'done; the cloud part (thing, certificate, policies) stays; dospesos destroy removes it\n'
}

main "$@"
