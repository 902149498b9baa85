#!/usr/bin/env bash
# Installs the C interface: the header, the shared and the static library, what pkg-config and CMake read, and the Perl module.
#
#   DESTDIR=… PREFIX=/usr/local LIBDIR=$PREFIX/lib PERLDIR=$PREFIX/share/perl5 ha-ffi/install.sh
#
# Builds the library first, unless HA_BUILD names a folder with libha.so and libha.a. PERLDIR= leaves the Perl module out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
perldir=${PERLDIR-$prefix/share/perl5}
destdir=${DESTDIR:-}
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml")

if [ -z "${HA_BUILD:-}" ]; then
  (cd "$here/.." && cargo build --release -p ha-ffi)
  HA_BUILD=${CARGO_TARGET_DIR:-$here/../target}/release
fi

# What a program that links the static library needs besides it.
private="-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The static library as one object with no global symbols but ours, so that it does not meet another Rust library's. What our
# functions don't need is left out, and so is the bitcode of the standard library, which no C linker can use.
functions=$(sed 's://.*::' "$here/../include/ha.h" | grep -oE '\bha_[a-z_]+\(' | tr -d '(' | sort -u)
# shellcheck disable=SC2086,SC2046
ld -r --gc-sections -e ha_version $(printf -- '-u %s ' $functions) --whole-archive "$HA_BUILD/libha.a" -o "$work/whole.o"
objcopy --wildcard --keep-global-symbol='ha_*' --strip-debug \
  --remove-section=.llvmbc --remove-section=.llvmcmd "$work/whole.o" "$work/ha.o"
ar rcs "$work/libha.a" "$work/ha.o"
strip --strip-debug -o "$work/libha.so" "$HA_BUILD/libha.so"

install -d "$destdir$prefix/include" "$destdir$libdir/pkgconfig" "$destdir$libdir/cmake/ha"
install -m 644 "$here/../include/ha.h" "$destdir$prefix/include/ha.h"
install -m 755 "$work/libha.so" "$destdir$libdir/libha.so.$version"
ln -sf "libha.so.$version" "$destdir$libdir/libha.so.1"
ln -sf libha.so.1 "$destdir$libdir/libha.so"
install -m 644 "$work/libha.a" "$destdir$libdir/libha.a"
fill() { # TEMPLATE FILE
  sed -e "s|@PREFIX@|$prefix|; s|@LIBDIR@|$libdir|; s|@VERSION@|$version|; s|@PRIVATE@|$private|" "$here/$1" >"$work/filled"
  install -m 644 "$work/filled" "$destdir$libdir/$2"
}
fill ha.pc.in pkgconfig/ha.pc
fill ha-config.cmake.in cmake/ha/ha-config.cmake
fill ha-config-version.cmake.in cmake/ha/ha-config-version.cmake
if [ -n "$perldir" ]; then
  install -d "$destdir$perldir/HA"
  install -m 644 "$here/perl/lib/HA.pm" "$destdir$perldir/HA.pm"
  install -m 644 "$here"/perl/lib/HA/*.pm "$destdir$perldir/HA/"
fi
