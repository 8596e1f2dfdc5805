#!/usr/bin/env bash
# build.sh DIRECTORY: makes DIRECTORY/suites, Kubernetes' storage test suites as a program (needs go), and DIRECTORY/*.tar,
# the image that their pods run, under the names that they ask for (needs a static busybox).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../image/archive.sh"
out=$1 root=$1/root
inputs=$(cat "$here"/* "$here/../../image/archive.sh" | sha256sum)
[ "$(cat "$out/inputs" 2>/dev/null)" != "$inputs" ] || exit 0
rm -rf "$out"
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc,tmp,root,proc,sys,dev,var}

busybox=$(type -P busybox) || { echo "busybox is missing: apt-get install busybox-static" >&2; exit 1; }
cp "$busybox" "$root/bin/busybox"
"$busybox" --list-full | while read -r program; do
  [ "$program" = bin/busybox ] || ln -sf /bin/busybox "$root/$program"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
# what agnhost does when it is to hold a node's name spaces open
printf '#!/bin/sh\nexec sleep 86400\n' >"$root/bin/pause"
chmod +x "$root/bin/pause"
archive "$root" localhost/penstock/busybox:1.37.0-1 "$out/busybox.tar" PATH=/bin:/sbin:/usr/bin:/usr/sbin
archive "$root" localhost/penstock/jessie-dnsutils:1.7 "$out/dnsutils.tar" PATH=/bin:/sbin:/usr/bin:/usr/sbin
archive "$root" localhost/penstock/agnhost:2.56 "$out/agnhost.tar" PATH=/bin:/sbin:/usr/bin:/usr/sbin
rm -r "$root"

cd "$here"
CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false ${GOFLAGS-}" nice -n 10 go test -c -trimpath -ldflags '-s -w' -o "$out/suites" .
echo 'promoterE2eRegistry: localhost/penstock' >"$out/registries.yaml"
echo "$inputs" >"$out/inputs"
