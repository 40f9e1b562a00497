#!/usr/bin/env bash
# Builds, shows, tests and measures Crashcart: ./build.sh help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'TEXT'
Usage: ./build.sh COMMAND

  demo      publish, then show a fleet of one machine: tcpdump in three containers that have no tools
  publish   put crashcart, crashcart-node, crashcart-coordinator and crashcart.img into artifacts/
  test      check the format, build, publish, run every test and 50 rounds of chaos (needs root or sudo)
  chaos     break a fleet at random and look whether anything is left: chaos [--rounds N] [--seed S] | --soak N
            (needs root or sudo)
  mutants   take defences against hostile containers out, one at a time, and see that a test fails for each:
            mutants [--list | NAME...] (needs root or sudo)
  kernels   boot kernels of the distribution in an emulated machine, and see that crashcart works on each:
            kernels [PACKAGE...] (x86_64)
  bench     publish, then measure against docker exec, nsenter, clush and pdsh, over simulated nodes, and images of
            each file system, leases, output, and where the time of a request goes:
            bench [--only peers|fleet|trace|nodes|image|leases|streams] [--rounds N] (needs root or sudo)
  clean     remove artifacts/ and every bin/ and obj/

Needs the .NET SDK that global.json names, a C compiler and apt; what else a command needs it installs.
TEXT
}

configuration=Release
artifacts=$PWD/artifacts

say() { printf '\n==> %s\n' "$*"; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: directly, or by sudo with the variables that .NET needs.
as_root() {
  if [ "$EUID" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo env PATH="$PATH" HOME="$HOME" DOTNET_NOLOGO=1 ${DOTNET_ROOT:+DOTNET_ROOT="$DOTNET_ROOT"} "$@"
  else
    die "'$1' must run as root, and there is no sudo: run this as root, or install sudo."
  fi
}

# need COMMAND=PACKAGE…: installs the packages whose commands are missing.
need() {
  local pair missing=()
  for pair in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]}; there is no apt-get here, install them by hand."
  [ "$EUID" -eq 0 ] || command -v sudo >/dev/null ||
    die "missing: ${missing[*]}; installing them needs root: run this as root, install sudo, or install them by hand."
  say "Installing ${missing[*]}"
  as_root bash -c "$(declare -f install_packages); install_packages \"\$@\"" - "${missing[@]}"
}

# Installs packages without starting their services: the Docker daemons that the demo and the tests use are their own.
install_packages() {
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap "rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q </dev/null
  # docker-cli is a package of its own since Debian 13; before, docker.io holds the client too.
  if [[ " $* " == *" docker.io "* ]] && apt-cache show docker-cli >/dev/null 2>&1; then
    set -- "$@" docker-cli
  fi
  apt-get install -q -y --no-install-recommends "$@" </dev/null
}

need_to_build() {
  command -v dotnet >/dev/null || die "there is no dotnet: install the .NET SDK $(sed -n 's/.*"version": *"\(.*\)".*/\1/p' global.json)."
  need gcc=gcc musl-gcc=musl-tools mkfs.erofs=erofs-utils
  [ -e "$(gcc -print-file-name=libc.a)" ] || need libc.a=libc6-dev
  need_cross_compiler
}

# A small library of the toolbox images for the other machine.
need_cross_compiler() {
  local triplet=aarch64-linux-gnu name=arm64
  [ "$(uname -m)" = x86_64 ] || { triplet=x86_64-linux-gnu name=amd64; }
  need "$triplet-gcc=gcc-${triplet/_/-}"
  [ -e "/usr/$triplet/include/stdio.h" ] || need "stdio.h=libc6-dev-$name-cross"
}

need_docker() {
  need dockerd=docker.io docker=docker.io busybox=busybox-static losetup=mount ip=iproute2 iptables=iptables ps=procps
}

runtime_identifier() {
  case $(uname -m) in
    x86_64) echo linux-x64 ;;
    aarch64) echo linux-arm64 ;;
    *) die "Crashcart is built for x86_64 and aarch64, not for $(uname -m)." ;;
  esac
}

# publish_program PROJECT PROGRAM [CONFIGURATION DIRECTORY]: one file into artifacts/, or into the directory.
publish_program() {
  local project=$1 program=$2 as=${3:-$configuration} to=${4:-$artifacts} stage
  say "Publishing $program${3:+ ($3)}"
  stage=$(mktemp -d "$to/.$program.XXXXXX")
  dotnet publish "$project" -c "$as" -r "$(runtime_identifier)" --nologo -v quiet -o "$stage" -p:DebugType=none
  mv "$stage/$program" "$to/$program"
  rm -r "$stage"
}

# publish_image RECIPE FILE: the image is made again only when what makes it has changed.
publish_image() {
  local file=$artifacts/$2 stamp=$artifacts/.$2.inputs inputs
  inputs=$(find image Directory.Packages.props -type f -not -path '*/bin/*' -not -path '*/obj/*' -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum)
  if [ -e "$file" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$inputs" ]; then
    say "Image unchanged: $file"
    return
  fi
  say "Building the image $1"
  rm -f "$stamp"
  "$artifacts/crashcart" image build -f "$1" -o "$file"
  printf '%s' "$inputs" >"$stamp"
}

# publish_programs [CONFIGURATION DIRECTORY]
publish_programs() {
  mkdir -p "${2:-$artifacts}"
  publish_program Crashcart.Cli crashcart "$@"
  publish_program Crashcart.Node crashcart-node "$@"
  publish_program Crashcart.Coordinator crashcart-coordinator "$@"
}

# The programs with fault points, as quickly as can be: compiled while they run, and looked over in Release already.
build_fault_programs() {
  local program stage
  say "Building the programs with fault points"
  stage=$(mktemp -d "$artifacts/.faults.XXXXXX")
  for program in Cli Node Coordinator; do
    dotnet publish "Crashcart.$program" -c FaultPoints -r "$(runtime_identifier)" --no-restore --no-self-contained --nologo -v quiet \
      -o "$stage" -p:PublishAot=false -p:PublishSelfContained=false -p:PublishSingleFile=false -p:PublishReadyToRun=false \
      -p:DebugType=none -p:RunAnalyzers=false
  done
  rm -rf "$artifacts/faults"
  chmod 755 "$stage"
  mv "$stage" "$artifacts/faults"
  # They run on the framework of this SDK, wherever that is.
  DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
  export DOTNET_ROOT
}

publish() {
  need_to_build
  publish_programs
  publish_image toolbox crashcart.img
  say "Published"
  ls -lh "$artifacts"
}

# Every test project, the quick ones first, and a short campaign as one test more. The last line adds up what they counted.
run_tests() {
  local project name results counters passed=0 failed=0 skipped=0 broken=0
  results=$(mktemp -d)
  for project in tests/*.Tests; do
    [ "$project" = tests/Crashcart.EndToEnd.Tests ] || test_project "$project"
  done
  test_project tests/Crashcart.EndToEnd.Tests
  rm -r "$results"
  if run_chaos --rounds 50 --seed 61; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" -eq 0 ] && [ "$broken" -eq 0 ]
}

test_project() {
  local alone=()
  name=$(basename "$1")
  # A node of this machine, if there is one, would take away what a test's killed sessions leave: it must not find their locks.
  case $name in Crashcart.Native.Tests | Crashcart.Node.Tests)
    alone=(unshare --mount --propagation private sh -c 'mkdir -p /run/crashcart && mount -t tmpfs -o mode=700 tmpfs /run/crashcart && exec "$@"' -) ;;
  esac
  say "Testing $name"
  # A shell that starts this in the background, or nohup, may have set signals to be ignored, which the tests send.
  as_root env --default-signal CRASHCART_ARTIFACTS="$artifacts" "${alone[@]}" dotnet test "$1/bin/$configuration/net10.0/$name.dll" \
    --logger "console;verbosity=minimal" --logger "trx;LogFileName=$name.trx" --results-directory "$results" \
    --blame-hang-timeout 10m --blame-hang-dump-type none </dev/null || broken=1
  counters=$(grep -o '<Counters [^>]*>' "$results/$name.trx" || true)
  count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters" | grep . || echo 0; }
  if [ "$(count executed)" -eq 0 ]; then
    echo "$name ran no test." >&2
    broken=1
  fi
  passed=$((passed + $(count passed)))
  skipped=$((skipped + $(count total) - $(count executed)))
  failed=$((failed + $(count executed) - $(count passed)))
}

need_chaos() {
  need mke2fs=e2fsprogs script=bsdutils unshare=util-linux
}

# The campaign's programs have fault points; a soak is of the programs as they are published.
run_chaos() {
  local programs=$artifacts/faults
  [[ " $* " == *" --soak "* ]] && programs=$artifacts
  say "Fault campaign"
  as_root env CRASHCART_ARTIFACTS="$programs" dotnet "tests/Crashcart.Chaos/bin/$configuration/net10.0/Crashcart.Chaos.dll" "$@"
}

command_chaos() {
  need_to_build
  need_docker
  need_chaos
  if [[ " $* " == *" --soak "* ]]; then
    publish_programs
  else
    rm -rf "$artifacts/faults"
    publish_programs FaultPoints "$artifacts/faults"
  fi
  say "Building the campaign"
  dotnet build tests/Crashcart.Chaos -c $configuration --nologo -v quiet
  run_chaos "$@"
}

command_test() {
  need_to_build
  need_docker
  need_chaos
  need newuidmap=uidmap unshare=util-linux tmux=tmux tshark=tshark mke2fs=e2fsprogs openssl=openssl gpg=gnupg mksquashfs=squashfs-tools systemd-analyze=systemd
  say "Restoring"
  dotnet restore Crashcart.sln --nologo -v quiet
  say "Checking the format"
  dotnet format Crashcart.sln --no-restore --verify-no-changes
  say "Building"
  dotnet build Crashcart.sln -c $configuration --no-restore --nologo -v quiet
  publish
  publish_image full crashcart-full.img
  build_fault_programs
  run_tests
}

command_mutants() {
  need_to_build
  need_docker
  need unshare=util-linux
  as_root tests/mutants/run "$@"
}

command_kernels() {
  publish
  [ "$(uname -m)" = x86_64 ] || die "the emulated machine is an x86_64."
  need qemu-system-x86_64=qemu-system-x86 apparmor_parser=apparmor busybox=busybox-static mke2fs=e2fsprogs mksquashfs=squashfs-tools mkfs.erofs=erofs-utils xz=xz-utils
  tests/kernels/run "$artifacts" "$@"
}

command_demo() {
  publish
  need_docker
  as_root tests/demo/run "$artifacts"
}

command_bench() {
  publish
  need_docker
  need mke2fs=e2fsprogs nsenter=util-linux unshare=util-linux clush=clustershell pdsh=pdsh fincore=util-linux-extra mksquashfs=squashfs-tools mkfs.erofs=erofs-utils
  say "Building the benchmarks"
  dotnet build tests/Crashcart.Benchmarks -c $configuration --nologo -v quiet
  as_root env CRASHCART_ARTIFACTS="$artifacts" dotnet "tests/Crashcart.Benchmarks/bin/$configuration/net10.0/Crashcart.Benchmarks.dll" "$@"
}

command_clean() {
  local project directory
  rm -rf "$artifacts"
  find . -name '*.csproj' -not -path './artifacts/*' -print0 | while IFS= read -r -d '' project; do
    directory=$(dirname "$project")
    rm -rf "$directory/bin" "$directory/obj" "$directory/TestResults"
  done
}

[ $# -gt 0 ] || { usage >&2; exit 2; }
command=$1
shift
case $command in
  publish) publish ;;
  test) command_test ;;
  demo) command_demo ;;
  bench) command_bench "$@" ;;
  chaos) command_chaos "$@" ;;
  mutants) command_mutants "$@" ;;
  kernels) command_kernels "$@" ;;
  clean) command_clean ;;
  help | -h | --help) usage ;;
  *) usage >&2; die "there is no command '$command'." ;;
esac
