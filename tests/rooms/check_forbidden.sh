#!/bin/sh
# usage: check_forbidden.sh CC OWN_FOLDER "-Ipath;-Ipath" "forbidden folder;forbidden folder"
# Every header of the forbidden folders must be out of reach of a room's include path, and one of the room's
# own in reach (otherwise the check would pass for the wrong reason). One compiler run asks for all of them.
set -u
cc=$1 own=$2
path=$(printf '%s' "$3" | tr ';' ' ')
forbidden=$(printf '%s' "$4" | tr ';' ' ')
tried=0
source=$(mktemp) || exit 1
trap 'rm -f "$source"' EXIT
for header in "$own"/*.h; do
    [ -e "$header" ] || break
    printf '#if !__has_include("%s")\n#error own header %s is out of reach\n#endif\n' "${header##*/}" "$header" >>"$source"
    break
done
for folder in $forbidden; do
    for header in "$folder"/*.h; do
        [ -e "$header" ] || continue
        tried=$((tried + 1))
        printf '#if __has_include("%s")\n#error %s can include %s\n#endif\n' "${header##*/}" "$own" "$header" >>"$source"
    done
done
echo "$tried forbidden headers tried"
# shellcheck disable=SC2086  # a list of flags on purpose
exec "$cc" -std=c17 $path -fsyntax-only -x c "$source"
