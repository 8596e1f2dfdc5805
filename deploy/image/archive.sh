# Functions for making image archives out of directories, without docker. Source it; do not run it.

# libraries ROOT: the paths of this machine's libraries that the programs below ROOT link to
libraries() {
  find "$1" -type f \( -name '*.so' -o -name '*.so.*' -o -perm -u+x \) -exec ldd {} + 2>/dev/null |
    awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' | grep -v "^$1" | sort -u
}

# copy_libraries ROOT [PATH...]: puts them, and further ones, where the image's programs look for them
copy_libraries() {
  local root=$1 library
  shift
  for library in $(libraries "$root") "$@"; do
    mkdir -p "$root${library%/*}"
    [ -e "$root$library" ] || cp -L "$library" "$root$library"
  done
}

# skeleton ROOT: directories and accounts that every image has
skeleton() {
  local root=$1
  mkdir -p "$root"/{bin,usr/bin,etc,proc,sys,dev,tmp,run,var/lib}
  printf '%s\n' root:x:0:0:root:/root:/bin/bash nobody:x:65534:65534:nobody:/nonexistent:/bin/bash >"$root/etc/passwd"
  printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  cp "$(readlink -f "$(type -P bash)")" "$root/bin/bash"
  cp "$(readlink -f "$(type -P env)")" "$root/usr/bin/env"
  # for names of hosts, found by name only
  local libc
  libc=$(ldd "$root/bin/bash" | awk '$1 == "libc.so.6" { print $3 }')
  copy_libraries "$root" $(ls "${libc%/*}"/lib{dl,m,pthread,resolv,rt,nss_dns,nss_files}.so.[0-9] 2>/dev/null)
}

# archive ROOT NAME OUT.tar [KEY=VALUE...]: a docker-archive with one layer; the same files give the same bytes
archive() {
  local root=$1 name=$2 out=$3 work digest architecture env= variable
  shift 3
  chmod -R u=rwX,go=rX "$root"
  chmod 1777 "$root/tmp"
  find "$root" -exec touch -h -d @1 {} +
  work=$out.d
  rm -rf "$work"
  mkdir -p "$work"
  same() { tar --create --format=gnu --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner "$@"; }
  same -C "$root" --file "$work/layer.tar" .
  digest=$(sha256sum <"$work/layer.tar")
  case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
  esac
  for variable; do env+=", \"$variable\""; done
  cat >"$work/config.json" <<JSON
{"architecture": "$architecture", "os": "linux", "created": "1970-01-01T00:00:01Z",
 "config": {"Env": [${env#, }]}, "rootfs": {"type": "layers", "diff_ids": ["sha256:${digest%% *}"]}}
JSON
  echo "[{\"Config\": \"config.json\", \"RepoTags\": [\"$name\"], \"Layers\": [\"layer.tar\"]}]" >"$work/manifest.json"
  same -C "$work" --file "$out" config.json layer.tar manifest.json
  rm -r "$work"
}
