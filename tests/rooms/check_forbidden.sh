#!/bin/sh
# usage: check_forbidden.sh CC OWN_FOLDER "-Ipath;-Ipath" "forbidden folder;forbidden folder"
# Every header of the forbidden folders must be out of reach; one of the room's own must be found (otherwise
# the check would pass for the wrong reason).
set -u
cc=$1 own=$2
path=$(printf '%s' "$3" | tr ';' ' ')
forbidden=$(printf '%s' "$4" | tr ';' ' ')
reaches() { # shellcheck disable=SC2086
    printf '#include "%s"\n' "$1" | "$cc" -std=c17 $path -E -x c -o /dev/null - 2>/dev/null
}
for header in "$own"/*.h; do
    [ -e "$header" ] || break
    reaches "$(basename "$header")" || { echo "own header $header is out of reach"; exit 1; }
    break
done
tried=0 wrong=0
for folder in $forbidden; do
    for header in "$folder"/*.h; do
        [ -e "$header" ] || continue
        tried=$((tried + 1))
        if reaches "$(basename "$header")"; then
            echo "$own can include $header"
            wrong=1
        fi
    done
done
echo "$tried forbidden headers tried"
exit $wrong
