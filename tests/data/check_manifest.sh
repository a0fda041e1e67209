#!/bin/sh
# Checks the birth certificates of the files under data/ against data/MANIFEST.
#
#   check_manifest.sh ROOT            every file has a record, every record a file, every checksum holds
#   check_manifest.sh --renew ROOT    writes today's checksums into the records (after a file was made anew)
#
# A record is a paragraph of `key: value` lines: path, sha256, origin, licence, date, units. A path with a
# star stands for files edited by hand; its sha256 is `none` and a reason. README.md files need no record.
set -u

renew=no
[ "${1-}" = --renew ] && { renew=yes; shift; }
root=${1:?usage: check_manifest.sh [--renew] ROOT}
cd "$root" || exit 2
manifest=data/MANIFEST
problems=$(mktemp) || exit 2
records=$(mktemp) || exit 2
trap 'rm -f "$problems" "$records"' EXIT

digest() { sha256sum "$1" | cut -d ' ' -f 1; }

if [ "$renew" = yes ]; then
    while IFS= read -r line; do
        case $line in
        'path: '*) path=${line#path: } ;;
        'sha256: none'*) ;;
        'sha256: '*) line="sha256: $(digest "$path")" ;;
        esac
        printf '%s\n' "$line"
    done <"$manifest" >"$records" && cat "$records" >"$manifest"
    exit
fi

# One line a record, path and checksum, with complaints about missing keys.
awk -v problems="$problems" '
    function flush(  i) {
        if (!n) return
        for (i = 1; i <= 6; i++) if (!(keys[i] in value)) print value["path"] ": no `" keys[i] "` in its record" > problems
        print value["sha256"] "\t" value["path"]
        split("", value); n = 0
    }
    BEGIN { split("path sha256 origin licence date units", keys, " ") }
    /^#/ { next }
    /^$/ { flush(); next }
    { at = index($0, ": "); value[substr($0, 1, at - 1)] = substr($0, at + 2); n++ }
    END { flush() }' "$manifest" >"$records"

covered() {      # is $1 named by a record, or does it match one with a star?
    while IFS='	' read -r sum path; do
        # shellcheck disable=SC2254  # the record is a pattern on purpose
        case $1 in $path) return 0 ;; esac
    done <"$records"
    return 1
}

while IFS='	' read -r sum path; do
    case $sum in
    none*)
        # shellcheck disable=SC2086  # the pattern is to be expanded
        ls $path >/dev/null 2>&1 || echo "$path: no such file" >>"$problems" ;;
    *)
        if [ ! -f "$path" ]; then
            echo "$path: in $manifest, but not there" >>"$problems"
        elif [ "$(digest "$path")" != "$sum" ]; then
            echo "$path: changed since its record; make it anew or run check_manifest.sh --renew and say why" >>"$problems"
        fi ;;
    esac
done <"$records"

find data -type f ! -name README.md ! -path "$manifest" | sort | while IFS= read -r file; do
    covered "$file" || echo "$file: no record in $manifest" >>"$problems"
done

[ -s "$problems" ] || { echo "$(wc -l <"$records") records, all right"; exit 0; }
cat "$problems"
exit 1
