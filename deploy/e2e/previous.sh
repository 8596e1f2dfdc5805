#!/usr/bin/env bash
# previous.sh DIRECTORY: makes the image and the manifests of the version before this one, which the end-to-end tests roll
# out and back: DIRECTORY/image.tar, DIRECTORY/node-plugin.yaml. Which one it is stands in the file previous-version beside this.
# It is made once for all working trees, in ~/.cache/penstock-e2e. Where git does not have it, DIRECTORY/missing says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1 commit=$(<"$here/previous-version")
kept=${XDG_CACHE_HOME:-$HOME/.cache}/penstock-e2e/$commit
[ "$(cat "$out/commit" 2>/dev/null)" != "$commit" ] || exit 0
rm -rf "$out"
mkdir -p "$out"
if [ ! -d "$kept" ]; then
  if ! git -C "$here" cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "git does not have $commit: this is a shallow clone, or none" | tee "$out/missing"
    exit 0
  fi
  mkdir "$out/source" "$out/made"
  git -C "$here/../.." archive "$commit" | tar -x -C "$out/source"
  cd "$out/source"
  env -u MAVEN_ARGS -u MAVEN_PROJECTBASEDIR -u MAVEN_CMD_LINE_ARGS ./mvnw --quiet --batch-mode -pl deploy -am package -Pimage \
    -DskipTests -Dspotless.check.skip -Dmdep.analyze.skip -Dimage.name=localhost/penstock/penstock:previous
  cp deploy/target/penstock-image.tar "$out/made/image.tar"
  cp deploy/manifests/node-plugin.yaml "$out/made/"
  rm -rf "$out/source"
  mkdir -p "${kept%/*}"
  mv -T "$out/made" "$kept" || [ -d "$kept" ] # somebody else was faster
fi
cp "$kept"/* "$out/"
echo "$commit" >"$out/commit"
