#!/usr/bin/env python3
"""Counts the example networks with PyTorch itself: the numbers that a tool reading the graph must find.

    count_reference.py [--out data/graphs] [NAME ..]        writes NAME.json beside NAME.onnx

Counted at the shapes in example_input_shapes (batch 2, sequence 128), in FP32, eager:
  forward_flop, backward_flop   torch.utils.flop_counter, loss = sum of the outputs, inputs need no gradient
  saved_activation_bytes_train_mode   what autograd keeps after the forward pass, once per storage, without
                                parameters and buffers; network in training mode; dropout masks as the CPU keeps them
                                (of the element's type) are counted with one byte an element, as on a GPU
  onnx_*                        what can be told from the file; null where BatchNormalization was folded or
                                the file holds more float tensors than parameters
Versions: torch 2.13.0, transformers 5.23.0.
"""
import argparse
import json
import math
import os
import sys

import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import export_examples as examples  # noqa: E402


def outputs(result):
    """The tensors of what a network returns."""
    return [result] if isinstance(result, torch.Tensor) else [v for v in result.values() if isinstance(v, torch.Tensor)]


def call(model, inputs, kind):
    return outputs(model(*inputs) if kind == "image" else model(**dict(zip(("input_ids", "attention_mask"), inputs))))


def flop(model, inputs, kind):
    """(forward, backward), each {operator: FLOP}."""
    counter = FlopCounterMode(display=False)
    with counter:
        loss = sum(t.sum() for t in call(model, inputs, kind))
    forward = {str(k): v for k, v in counter.get_flop_counts()["Global"].items()}
    with FlopCounterMode(display=False) as backward_counter:
        loss.backward()
    return forward, {str(k): v for k, v in backward_counter.get_flop_counts()["Global"].items()}


def saved_bytes(model, inputs, kind):
    """Bytes that autograd holds after the forward pass in training mode, beyond the model's own tensors."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    storages = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages[storage.data_ptr()] = (storage.nbytes(), storage)     # held, so that no address is used twice
        return tensor
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        kept = call(model.train(), inputs, kind)
    del kept
    return sum(size for size, _ in storages.values())


class ByteMask(torch.autograd.Function):
    """Dropout as a GPU does it: a mask of one byte an element is kept."""

    @staticmethod
    def forward(ctx, x, p):
        mask = torch.rand_like(x) >= p
        ctx.save_for_backward(mask)
        ctx.scale = 1.0 / (1.0 - p)
        return x * mask * ctx.scale

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0] * ctx.scale, None


def byte_dropout(x, p=0.5, training=True, inplace=False):
    return ByteMask.apply(x, p) if training and p > 0 else x


def float_elements(path):
    """Elements of the float initializers of more than one element."""
    import onnx
    graph = onnx.load(path, load_external_data=False).graph
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    return sum(n for t in graph.initializer if t.data_type in floats and (n := math.prod(t.dims)) > 1)


def reference(name, folder):
    make, kind, training = examples.EXAMPLES[name]
    inputs = examples.example(kind)
    model = make().eval()
    forward, backward = flop(model, inputs, kind)
    model.zero_grad(set_to_none=True)
    with torch.no_grad():
        shapes = [list(t.shape) for t in call(model, inputs, kind)]
    torch.nn.functional.dropout = byte_dropout
    saved = saved_bytes(model, inputs, kind)
    parameters = sum(p.numel() for p in model.parameters())
    found = float_elements(os.path.join(folder, name + ".onnx"))
    buffers = sum(b.numel() for n, b in model.named_buffers())
    names = {"image": ["images"]}.get(kind, ["input_ids", "attention_mask"])
    statistics = sum(b.numel() for n, b in model.named_buffers() if n.endswith(("running_mean", "running_var")))
    return {"name": name, "exporter": "torchscript" if training else "dynamo", "parameters": parameters,
            "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "parameter_tensors": len(list(model.parameters())), "buffers": buffers,
            "forward_flop": sum(forward.values()), "forward_flop_by_op": forward,
            "backward_flop": sum(backward.values()), "backward_flop_by_op": backward,
            "saved_activation_bytes_train_mode": saved,
            "inputs": names, "example_input_shapes": [list(t.shape) for t in inputs], "output_shapes": shapes,
            "onnx_forward_flop": sum(forward.values()), "onnx_backward_flop": sum(backward.values()),
            "onnx_parameters": parameters if found == parameters + (statistics if training else 0) else None,
            "initializer_float_elements": found, "torch": torch.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of: " + ", ".join(examples.EXAMPLES))
    parser.add_argument("--out", default="data/graphs")
    args = parser.parse_args()
    dropout = torch.nn.functional.dropout
    for name in args.names or examples.EXAMPLES:
        torch.nn.functional.dropout = dropout
        counted = reference(name, args.out)
        with open(os.path.join(args.out, name + ".json"), "w", encoding="utf-8") as file:
            file.write(json.dumps(counted, indent=1) + "\n")
        print(f"{name}: {counted['parameters']:,} parameters, forward {counted['forward_flop']:,} FLOP, backward "
              f"{counted['backward_flop']:,} FLOP, saved {counted['saved_activation_bytes_train_mode']:,} B, "
              f"onnx_parameters {counted['onnx_parameters']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
