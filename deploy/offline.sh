#!/usr/bin/env bash
# For clusters without a way to the internet.
#
#   offline.sh list                  prints the images that the chart needs
#   offline.sh pack FILE.tar         puts the images' archive, the chart, the manifests and this script into one file
#   offline.sh load [ARCHIVE]        brings the archive to this machine's containerd, docker or podman
#   offline.sh push HOST [ARCHIVE]   brings it to a registry, below the same path; then
#                                    helm install penstock chart --set global.imageRegistry=HOST
#
# ARCHIVE: images/penstock-image.tar beside this script, or what ./mvnw -pl deploy -am package -Pimage made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
archive=$here/images/penstock-image.tar
[ -f "$archive" ] || archive=$here/target/penstock-image.tar

need() {
  [ -f "$1" ] || {
    echo "error: there is no archive $1" >&2
    echo "  next   make it: ./mvnw -pl deploy -am package -Pimage -DskipTests" >&2
    exit 1
  }
}

case ${1-} in
list) cat "$here/chart/images.txt" ;;
pack)
  need "$archive"
  tar --create --file "${2:?a file to write}" --owner 0 --group 0 --transform 's,^,penstock/,' \
    -C "$here" offline.sh chart manifests examples \
    --transform 's,penstock/penstock-image,penstock/images/penstock-image,' -C "$(dirname "$archive")" penstock-image.tar
  ;;
load)
  archive=${2:-$archive}
  need "$archive"
  if command -v ctr >/dev/null; then
    ctr --namespace k8s.io images import --local "$archive"
  elif command -v docker >/dev/null; then
    docker load --input "$archive"
  elif command -v podman >/dev/null; then
    podman load --input "$archive"
  else
    echo "error: no ctr, docker or podman here" >&2
    exit 1
  fi
  ;;
push)
  host=${2:?a registry} archive=${3:-$archive}
  need "$archive"
  while read -r image; do
    target=$host/${image#*/}
    if command -v skopeo >/dev/null; then
      skopeo copy "docker-archive:$archive:$image" "docker://$target"
    elif command -v docker >/dev/null; then
      docker load --input "$archive"
      docker tag "$image" "$target"
      docker push "$target"
    else
      echo "error: no skopeo or docker here" >&2
      exit 1
    fi
  done <"$here/chart/images.txt"
  ;;
*)
  echo "usage: offline.sh list | pack FILE.tar | load [ARCHIVE] | push HOST [ARCHIVE]" >&2
  exit 2
  ;;
esac
