#!/bin/sh
# usage: dry_run.sh REPOSITORY ADEPT WORK_FOLDER     (ADEPT_PYTHON: a Python with torch, onnx, onnxscript)
set -eu
repository=$1 adept=$2 work=$3
python=${ADEPT_PYTHON:-python3}
if ! "$python" -c "import torch, onnx, onnxscript" 2>/dev/null; then
    echo "skipped: $python has no torch, onnx and onnxscript (set ADEPT_PYTHON)"
    exit 77
fi
rm -rf "$work"
"$python" "$repository/scripts/collect/collect_torch.py" --models resnet18 --batch 2 --precision fp32 \
    --mode train,inference --device cpu --shrink --window-s 0.1 --warmup-s 0.05 --out "$work" 2>"$work.log" ||
    { cat "$work.log"; exit 1; }
rows=$(($(wc -l <"$work/trace.csv") - 1))
echo "$rows rows"
[ "$rows" -eq 2 ]
for graph in $(find "$work" -name '*.onnx'); do
    "$adept" profile "$graph" --strict >/dev/null
done
"$adept" trace check "$work/trace.csv" --graphs "$work" 2>"$work.log" || { cat "$work.log"; ! grep -q "no usable row" "$work.log"; }
