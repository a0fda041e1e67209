#!/bin/sh
# Runs what the README tells its reader to paste: run_readme.sh ADEPT SOURCE_FOLDER. Lines of its sh blocks that
# begin with build/adept run with the given binary; scripts/run and scripts/test must be there.
set -u
adept=$1
cd "$2" || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
sed -n '/^```sh$/,/^```$/p' README.md | grep -v '^```' | sed 's/[[:space:]]*#.*//' | grep . >"$scratch/commands"

failed=0
ran=0
while read -r command; do
    case $command in
    build/adept\ *)
        ran=$((ran + 1))
        if ! sh -c "'$adept' ${command#build/adept }" </dev/null >"$scratch/out" 2>"$scratch/err"; then
            echo "README: '$command' fails: $(cat "$scratch/err")"
            failed=1
        elif ! [ -s "$scratch/out" ] && ! [ -s "$scratch/err" ]; then
            echo "README: '$command' prints nothing"
            failed=1
        fi
        ;;
    scripts/*)
        [ -x "${command%% *}" ] || { echo "README: no script '$command'"; failed=1; }
        ;;
    *) echo "README: this test does not know how to run '$command'"; failed=1 ;;
    esac
done <"$scratch/commands"
echo "$ran commands of the README ran"
[ "$ran" -ge 5 ] || { echo "README: fewer than 5 commands"; failed=1; }
exit $failed
