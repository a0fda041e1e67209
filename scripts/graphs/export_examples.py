#!/usr/bin/env python3
"""Exports the example graphs of data/graphs: structure only, weights are references into files that do not exist.

    export_examples.py [--out data/graphs] [NAME ..]

Made with torch 2.13.0, transformers 5.23.0, onnx 1.23.2, onnxscript 0.7.2, onnx-ir 1.1.0. ResNet-50 is the
collector's own definition (the same operators as torchvision's); the transformers are built from their
published configurations without pretrained weights. Symbols: batch, seq.
"""
import argparse
import os
import sys
import warnings

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "collect"))
import collect_torch as collect  # noqa: E402


def transformer(config_class, model_class, **settings):
    """A function that builds a transformers model with eager attention and the logits as its only output."""
    def make():
        import transformers
        config = getattr(transformers, config_class)(use_cache=False, **settings)
        config._attn_implementation = "eager"
        return getattr(transformers, model_class)(config)
    return make


TINYLLAMA = dict(vocab_size=32000, hidden_size=2048, intermediate_size=5632, num_hidden_layers=22,
                 num_attention_heads=32, num_key_value_heads=4, max_position_embeddings=2048, rms_norm_eps=1e-5)
EXAMPLES = {  # name: (builder, kind of inputs, training form)
    "resnet50": (lambda: collect.build("resnet50", "eager"), "image", False),
    "resnet50-train": (lambda: collect.build("resnet50", "eager"), "image", True),
    "bert-base": (transformer("BertConfig", "BertForSequenceClassification"), "tokens+mask", False),
    "gpt2-small": (transformer("GPT2Config", "GPT2LMHeadModel"), "tokens+mask", False),
    "tinyllama-1.1b": (transformer("LlamaConfig", "LlamaForCausalLM", **TINYLLAMA), "tokens+mask", False),
}


def example(kind, device="cpu"):
    """Input tensors at batch 2; token networks at sequence 128."""
    if kind == "image":
        return (torch.zeros(2, 3, 224, 224, device=device),)
    return (torch.zeros(2, 128, dtype=torch.long, device=device), torch.ones(2, 128, dtype=torch.long, device=device))


def export(name, folder):
    make, kind, training = EXAMPLES[name]
    net = collect.Network(None, kind)
    path = os.path.join(folder, name + ".onnx")
    with collect.unwritten_weights():
        model = collect.zero_weights(make())
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if training:
            collect.export_training(model, example(kind), net, path)
        else:
            collect.export_inference(model, example(kind), net, path, by_name=kind != "image")
    print(f"{path}: {os.path.getsize(path) / 1e3:.1f} kB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of: " + ", ".join(EXAMPLES))
    parser.add_argument("--out", default="data/graphs")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    for name in args.names or EXAMPLES:
        export(name, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
