#!/usr/bin/env bash
# isolate.sh NAME PROGRAM...: runs the program with PIDs, mounts and cgroups of its own, so that everything there is its
# doing, and ends with this shell. It is the first process of a PID namespace and of a mount namespace:
#   unshare --mount --pid --fork --kill-child --mount-proc isolate.sh NAME PROGRAM...
set -euo pipefail

# The mount points of every cgroup hierarchy.
hierarchies() { awk '{ for (i = 7; i < NF; i++) if ($i == "-") { if ($(i + 1) ~ /^cgroup2?$/) print $5; break } }' /proc/self/mountinfo; }

name=$1
shift
if [ "$name" != inside ]; then
  mount --make-rprivate /
  while read -r hierarchy; do
    mkdir "$hierarchy/$name"
    # A cpuset without processors takes no process.
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$hierarchy/$name/$file" ] && [ -e "$hierarchy/cgroup.clone_children" ]; then
        cat "$hierarchy/$file" >"$hierarchy/$name/$file"
      fi
    done
    echo 0 >"$hierarchy/$name/cgroup.procs"
  done < <(hierarchies)
  exec unshare --cgroup "$BASH" "$0" inside "$name" "$@"
fi

name=$1
shift
while read -r hierarchy; do
  mount --bind "$hierarchy/$name" "$hierarchy"
  # In version 2 a cgroup with processes passes no controllers on.
  if [ -e "$hierarchy/cgroup.controllers" ]; then
    mkdir "$hierarchy/campaign"
    echo 0 >"$hierarchy/campaign/cgroup.procs"
  fi
done < <(hierarchies)
mount -t tmpfs -o mode=0755 none /run
# As systemd has it on most hosts.
mount --make-rshared /

# Not exec: this shell reaps whoever loses its parent, as the first process of a host does.
status=0
"$@" || status=$?
exit $status
