#!/usr/bin/env bash
# base.sh JDK DIRECTORY: makes the base of our image from this machine's files, with neither registry nor docker.
#
# DIRECTORY/root is the file system: a Java runtime with the modules that we use, and of the operating system only what that
# runtime and the launcher link to. DIRECTORY/base.tar is the same as an archive with one layer. The same JDK and the same
# system libraries give the same bytes.
set -euo pipefail
. "$(dirname "$0")/archive.sh"
jdk=$1 out=$2

# What the jars ask for (jdeps), and what is found by name: DNS, flight recordings, diagnosis by jcmd.
modules=java.base,java.instrument,java.logging,java.management,java.naming,java.net.http,java.security.jgss,java.sql,java.xml
modules+=,jdk.httpserver,jdk.jcmd,jdk.jfr,jdk.management,jdk.naming.dns,jdk.net,jdk.unsupported,jdk.zipfs

root=$out/root
rm -rf "$out"
mkdir -p "$root/opt/penstock"
skeleton "$root"
"$jdk/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --output "$root/opt/penstock/runtime"
# A system's Java keeps its certificates elsewhere; the image has them itself.
certificates=$root/opt/penstock/runtime/lib/security/cacerts
[ ! -L "$certificates" ] || cp --remove-destination "$(readlink -f "$jdk/lib/security/cacerts")" "$certificates"
copy_libraries "$root"
archive "$root" localhost/penstock/base:1 "$out/base.tar" \
  PATH=/opt/penstock:/opt/penstock/runtime/bin:/bin LANG=C.UTF-8
