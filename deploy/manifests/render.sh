#!/usr/bin/env bash
# render.sh [DIRECTORY]: writes the manifests that lie here out of the chart. Needs helm.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here} chart=$here/../chart helm=${HELM:-helm}
images=$chart/images.txt
[ $# = 0 ] || images=$out/images.txt

render() { # FILE FIRST-LINE OPTION...
  local file=$1 first=$2
  shift 2
  {
    printf '# %s\n# Made from deploy/chart by deploy/manifests/render.sh.\n' "$first"
    "$helm" template penstock "$chart" --namespace penstock-system --no-hooks --set namespace.create=true "$@" |
      sed -e '/^# Source: /d' -e 's/ *$//' | cat -s
  } >"$out/$file"
}

render node-plugin.yaml "The node plugin alone: what every node runs that pods mount models on." --set operator.enabled=false
render penstock.yaml "Node plugin and operator. Install: kubectl apply --server-side -f deploy/chart/crds -f penstock.yaml" \
  --set operator.enabled=true
"$helm" template penstock "$chart" | sed -n 's/^ *image: *//p' | tr -d '"' | sort -u >"$images"
