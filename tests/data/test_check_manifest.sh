#!/bin/sh
# The check must notice what it is for: a changed file, a file without a record, a record without a file.
set -u
check=$(dirname "$0")/check_manifest.sh
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
failed=0

expect() {       # expect STATUS WORDS TITLE
    said=$(sh "$check" "$tree"); status=$?
    if [ "$status" != "$1" ] || ! printf '%s' "$said" | grep -q "$2"; then
        echo "FAILED $3: status $status, said: $said"; failed=1
    else
        echo "ok $3"
    fi
}

record() { printf 'path: %s\nsha256: %s\norigin: test\nlicence: test\ndate: 2026-01-01\nunits: none\n\n' "$1" "$2"; }

mkdir -p "$tree/data/hand"
echo one >"$tree/data/a.csv"
echo two >"$tree/data/hand/b.json"
sum=$(sha256sum "$tree/data/a.csv" | cut -d ' ' -f 1)
{ record data/a.csv "$sum"; record 'data/hand/*.json' 'none, edited by hand'; } >"$tree/data/MANIFEST"
expect 0 'all right' 'complete_tree_is_accepted'
echo three >"$tree/data/hand/b.json"
expect 0 'all right' 'hand_edited_file_may_change'
echo other >"$tree/data/a.csv"
expect 1 'a.csv: changed' 'changed_file_is_reported'
sh "$check" --renew "$tree"
expect 0 'all right' 'renewed_checksum_is_accepted'
echo four >"$tree/data/c.csv"
expect 1 'c.csv: no record' 'file_without_record_is_reported'
rm "$tree/data/c.csv" "$tree/data/a.csv"
expect 1 'a.csv: in data/MANIFEST, but not there' 'record_without_file_is_reported'
printf 'path: data/hand/b.json\nsha256: none\norigin: x\ndate: x\nunits: x\n' >"$tree/data/MANIFEST"
expect 1 'no `licence`' 'record_without_licence_is_reported'
exit $failed
