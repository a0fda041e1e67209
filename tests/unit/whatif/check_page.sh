#!/bin/sh
# The HTML report: self-contained, well nested, readable without eyes; then shown by a real browser, in light
# and dark and printed.
#
#   check_page.sh ADEPT SOURCE_DIR
# Exit 77: no browser, the rest was checked.
set -eu
adept=$1
graph=$2/data/graphs/resnet50.onnx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "$1" >&2; exit 1; }

"$adept" whatif "$graph" --hw a100 --batch 16 --set spec.l2_B='*2' --sweep power-limit=100:400:7 \
    --sweep batch=8,16 --sensitivity --html "$work/sweep.html" >/dev/null
"$adept" whatif "$graph" --hw a100 --batch 16 --optimize edp --over power-limit --html "$work/front.html" >/dev/null
"$adept" whatif "$graph" --hw a100 --variant thesis --sweep precision=fp32,tf32,bf16-amp \
    --html "$work/choices.html" >/dev/null
"$adept" predict "$graph" --hw a100 --batch 16 --html "$work/predict.html" >/dev/null
"$adept" whatif "$graph" --hw mi250x --batch 16 --sweep power-limit=300:560:9 --sensitivity --html "$work/withheld.html" >/dev/null
cat >"$work/prices.csv" <<EOF
item,price,unit,currency,source
a100,2,per GPU-hour,EUR,example
l4,1,per GPU-hour,EUR,example
EOF
"$adept" compare "$graph" "$2/data/graphs/gpt2-small.onnx" --hw all --batch 64 --samples 1e6 --region fr --pue 1.1 \
    --prices "$work/prices.csv" --html "$work/compare.html" >/dev/null

count() { grep -o "$1" "$2" | wc -l; }

for page in sweep front choices predict compare withheld; do
    file=$work/$page.html
    if grep -qE "<script|<link|@import|url\(|(src|href)=['\"]?(https?:)?//" "$file"; then
        fail "$page: refers to something outside of the page"
    fi
    twice=$(grep -oE " id='[^']*'" "$file" | sort | uniq -d)
    [ -z "$twice" ] || fail "$page: the same id twice: $twice"
    for id in $(grep -oE "aria-labelledby='[^']*'" "$file" | cut -d "'" -f 2); do
        grep -q " id='$id'" "$file" || fail "$page: nothing has the id $id"
    done
    figures=$(count '<figure tabindex' "$file")
    [ "$figures" -ge 1 ] || fail "$page: no figure"
    for part in "<svg role='img'" '<desc ' '<details><summary>The same as a table'; do
        [ "$(count "$part" "$file")" -eq "$figures" ] || fail "$page: $figures figures, but not as many $part"
    done
    if grep -qE 'nan|inf[^o]' <<EOF
$(grep -oE " (d|x|y|cx|cy|width|r)='[^']*'" "$file")
EOF
    then fail "$page: a coordinate is no number"; fi
    if grep -qE '[> ]-?(nan|inf)[ <]' "$file"; then fail "$page: a figure is no number"; fi
done
[ "$(count '<figure' "$work/sweep.html")" -eq 5 ] || fail "sweep: sweep, sensitivity, waterfall, roofline, modules"

[ "$(count '<figure' "$work/compare.html")" -eq 6 ] || fail "compare: time, power, energy of two networks"
for part in '<td>EUR</td>' 'France' 'PUE of 1.1' 'prices.csv' "class='whisker'" "class='s1 faint'" 'cheapest'; do
    grep -q "$part" "$work/compare.html" || fail "compare: no $part"
done

browser=
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then browser=$name; break; fi
done
[ -n "$browser" ] || { echo "skipped: no Chromium is installed (apt-get install chromium)"; exit 77; }

show() {
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$work/profile" --hide-scrollbars \
        --enable-logging=stderr --window-size=1100,3000 "$@" 2>>"$work/log"
}

for page in sweep front choices predict compare withheld; do
    url=file://$work/$page.html
    show --dump-dom "$url" >"$work/dom"
    for element in figure svg path circle text details table tr td section; do
        written=$(count "<$element[ >]" "$work/$page.html")
        parsed=$(count "<$element[ >]" "$work/dom")
        [ "$written" -eq "$parsed" ] || fail "$page: $written <$element> written, $parsed parsed"
    done
    show --blink-settings=preferredColorScheme=1 --screenshot="$work/light.png" "$url"
    show --blink-settings=preferredColorScheme=0 --screenshot="$work/dark.png" "$url"
    show --print-to-pdf="$work/page.pdf" "$url"
    [ "$(wc -c <"$work/light.png")" -gt 20000 ] || fail "$page: the screenshot is empty"
    cmp -s "$work/light.png" "$work/dark.png" && fail "$page: light and dark look the same"
    [ "$(head -c 4 "$work/page.pdf")" = %PDF ] || fail "$page: does not print"
done
if grep -E 'CONSOLE|Uncaught|net::ERR' "$work/log"; then fail "the browser complains"; fi
echo "6 pages shown by $browser in light and dark, and printed"
