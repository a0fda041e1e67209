#!/bin/sh
# usage: check_install.sh CMAKE BUILD_FOLDER CLIENT_FOLDER WORK_FOLDER CC GRAPH
set -eu
cmake=$1 build=$2 client=$3 work=$4 cc=$5 graph=$6
rm -rf "$work"
"$cmake" --install "$build" --prefix "$work/prefix" >/dev/null
pc=$(find "$work/prefix" -name adept.pc)
# the file holds the prefix of the build; this test installed elsewhere
sed -i "s|^prefix=.*|prefix=$work/prefix|" "$pc"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir adept)
# shellcheck disable=SC2046  # flags are words on purpose
"$cc" -o "$work/by_pkg_config" "$client/client.c" $(pkg-config --cflags --libs adept)
"$cmake" -S "$client" -B "$work/by_cmake" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER="$cc" >/dev/null
"$cmake" --build "$work/by_cmake" >/dev/null
for program in "$work/by_pkg_config" "$work/by_cmake/client_shared" "$work/by_cmake/client_static"; do
    parameters=$(LD_LIBRARY_PATH=$libdir "$program" "$graph")
    echo "$program: $parameters parameters"
    [ "$parameters" = 25557032 ]
done
"$work/prefix/bin/adept" hw list >/dev/null
