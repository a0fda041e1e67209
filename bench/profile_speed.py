#!/usr/bin/env python3
"""Speed of `adept profile` and `adept predict` as whole processes, beside public tools in the same run.

    python3 bench/profile_speed.py [--adept build/adept] [--runs 15]

Needs the Python package onnx (files are made with it) and GNU time (Debian: time); onnx-tool is timed too
where it is installed.
Prints medians and ratios: time of the other tool over ours, the larger the better for ADEPT.
Page faults and peak memory come from the operating system's accounting of the finished process.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import onnx
from onnx import TensorProto, helper

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def with_weights(source, target):
    """A copy of a structure-only graph with random weights inside the file."""
    model = onnx.load(source, load_external_data=False)
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            del tensor.external_data[:]
            tensor.data_location = TensorProto.DEFAULT
            count = int(numpy.prod(tensor.dims))
            tensor.raw_data = numpy.random.default_rng(0).standard_normal(count, dtype=numpy.float32).tobytes()
    onnx.save(model, target)


def external_model(target, layers=3000, gigabytes=10):
    """Thousands of nodes whose weights lie in one sparse file of that size."""
    width = int((gigabytes * 1e9 / layers / 4) ** 0.5) // 64 * 64
    nodes, weights, offset = [], [], 0
    for i in range(layers):
        tensor = TensorProto(name=f"w{i}", data_type=TensorProto.FLOAT, dims=[width, width],
                             data_location=TensorProto.EXTERNAL)
        for key, value in (("location", "weights.bin"), ("offset", str(offset)), ("length", str(width * width * 4))):
            tensor.external_data.add(key=key, value=value)
        offset += width * width * 4
        weights.append(tensor)
        nodes.append(helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"]))
    graph = helper.make_graph(nodes, "external", [helper.make_tensor_value_info("x0", 1, ["batch", width])],
                              [helper.make_tensor_value_info(f"x{layers}", 1, None)], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), target)
    with open(os.path.join(os.path.dirname(target), "weights.bin"), "wb") as file:
        file.truncate(offset)


def chain(target, nodes):
    """Layers of MatMul, Add, Relu on one shared weight: `nodes` nodes in all."""
    items, name = [], "x"
    for i in range(nodes):
        operator = ("MatMul", "Add", "Relu")[i % 3]
        items.append(helper.make_node(operator, {"MatMul": [name, "w"], "Add": [name, "b"], "Relu": [name]}[operator],
                                      [f"t{i}"]))
        name = f"t{i}"
    weights = [helper.make_tensor("w", 1, [64, 64], numpy.zeros(4096, numpy.float32)),
               helper.make_tensor("b", 1, [64], numpy.zeros(64, numpy.float32))]
    graph = helper.make_graph(items, "chain", [helper.make_tensor_value_info("x", 1, ["batch", 64])],
                              [helper.make_tensor_value_info(name, 1, ["batch", 64])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), target)


def measure(command, runs):
    """Median seconds, and peak resident MB and page faults (minor, major) of the last run.

    GNU time starts the command: a process started from here would inherit Python's own peak memory.
    """
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        process = subprocess.run(["/usr/bin/time", "-f", "%M %R %F", *command], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True, check=False)
        times.append(time.perf_counter() - start)
        if process.returncode:
            sys.exit(f"{' '.join(command)}: {process.stderr}")
    memory, minor, major = process.stderr.split()[-3:]
    return statistics.median(times), int(memory) / 1024, int(minor), int(major)


def others(path, dims):
    """Peers as commands: name, command."""
    load = ("import sys, onnx, onnx.shape_inference as s; m = onnx.load(sys.argv[1], load_external_data=False); "
            "s.infer_shapes(m)")
    yield "onnx.load + infer_shapes", [sys.executable, "-c", load, path]
    try:
        import onnx_tool  # noqa: F401
    except ImportError:
        return
    tool = ("import sys, numpy, onnx_tool; m = onnx_tool.Model(sys.argv[1]); "
            f"m.graph.shape_infer({dims}); m.graph.profile()")
    yield "onnx-tool", [sys.executable, "-c", tool, path]


def row(label, figures, ratio=None):
    seconds, memory, minor, major = figures
    print(f"{label:44s} {seconds * 1e3:10.2f} ms {memory:8.1f} MB {minor:7d} {major:6d}"
          + (f"   {ratio:8.1f}x" if ratio else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--adept", default=os.path.join(REPOSITORY, "build", "adept"))
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--largest", type=int, default=1_000_000, help="nodes of the largest chain")
    options = parser.parse_args()
    print(f"{'':44s} {'median':>13s} {'resident':>11s} {'minor':>7s} {'major':>6s}   {'ratio':>9s}")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "resnet50.onnx")
        with_weights(os.path.join(REPOSITORY, "data", "graphs", "resnet50.onnx"), path)
        print(f"resnet50 with {os.path.getsize(path) / 1e6:.0f} MB of weights in the file")
        ours = measure([options.adept, "profile", path, "--batch", "32"], options.runs)
        row("  adept profile", ours)
        predicted = measure([options.adept, "predict", path, "--batch", "32", "--hw", "a100"], options.runs)
        row("  adept predict --hw a100", predicted)
        for name, command in others(path, "{'images': numpy.zeros((32, 3, 224, 224), numpy.float32)}"):
            theirs = measure(command, 3)
            row("  " + name, theirs, theirs[0] / ours[0])
        path = os.path.join(folder, "external.onnx")
        external_model(path)
        print("3,000 matrix products with 10 GB of weights in another (sparse) file")
        ours = measure([options.adept, "profile", path, "--batch", "32"], options.runs)
        row("  adept profile", ours)
        for name, command in list(others(path, "{}"))[:1]:
            theirs = measure(command, 3)
            row("  " + name, theirs, theirs[0] / ours[0])
        print("chains of nodes")
        nodes = 1000
        while nodes <= options.largest:
            path = os.path.join(folder, "chain.onnx")
            chain(path, nodes)
            row(f"  adept profile, {nodes:,} nodes", measure([options.adept, "profile", path, "--batch", "8"],
                                                          3 if nodes > 10000 else options.runs))
            nodes *= 10


if __name__ == "__main__":
    main()
