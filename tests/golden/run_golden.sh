#!/bin/sh
# Runs one golden test: run_golden.sh FOLDER_OF_ADEPT CASE.test, in the folder with the graphs.
#
# A case is three parts: lines beginning with '#' that say what it shows, one line '$ COMMAND', and what the
# command prints: stdout, then stderr with 'stderr: ' before each line, then 'exit: N'.
# ADEPT_RENEW=1 writes the third part anew.
set -u
PATH=$1:$PATH
case_file=$2
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

grep '^#' "$case_file" >"$scratch/actual"
grep '^\$ ' "$case_file" >>"$scratch/actual"
sh -c "$(sed -n 's/^\$ //p' "$case_file")" >"$scratch/out" 2>"$scratch/err"
code=$?
{
    cat "$scratch/out"
    sed 's/^/stderr: /' "$scratch/err"
    echo "exit: $code"
} >>"$scratch/actual"

if [ -n "${ADEPT_RENEW:-}" ]; then
    cp "$scratch/actual" "$case_file"
fi
if ! diff -u "$case_file" "$scratch/actual"; then
    echo "$case_file: - expected, + printed; if the change is meant: ADEPT_RENEW=1"
    exit 1
fi
