#!/usr/bin/env python3
"""Compares a whole calibration with SciPy's differential_evolution on the same objective.

The problem (32 rows, 28 free parameters of the thesis variant, population 420) comes from bench_calibration.
The loss, eqs 4.7 to 4.18, is written down here once more, in NumPy, independently of the C code: one vector at
a time over the rows, as users write it; over the whole population; and as a plain Python loop. Prints the minima
that either optimizer reaches, and the cost of an evaluation.

  cmake -B build-bench -DCMAKE_BUILD_TYPE=Release -DADEPT_BENCH=ON
  cmake --build build-bench --target bench_calibration
  python3 scripts/check/scipy_calibration.py --bench build-bench/bench/bench_calibration
"""
import argparse
import csv
import json
import math
import platform
import statistics
import subprocess
import time

import numpy as np
import scipy
from scipy.optimize import differential_evolution

TERMS = ("gemm", "conv", "alu")
DIMENSIONS = {"gemm": ("R_gemm_M", "R_gemm_N", "R_gemm_K"),
              "conv": ("R_conv_channel", "R_conv_spatial", "R_conv_filter"), "alu": ("R_elem",)}


class Problem:
    def __init__(self, text):
        data = json.loads(text)
        self.parameters = data["parameters"]
        self.free = [p for p in self.parameters if p["free"]]
        self.rows = data["rows"]
        self.column = {key: np.array([row[key] for row in self.rows]) for key in self.rows[0]}
        self.bounds = [tuple(math.log(p[k]) if p["log"] else p[k] for k in ("lower", "upper")) for p in self.free]

    def theta(self, x):
        values = {p["name"]: p["value"] for p in self.parameters}
        for value, p in zip(x, self.free):
            values[p["name"]] = np.exp(value) if p["log"] else value
        return values

    def numpy(self, x):
        """Loss of x [parameters], or of the columns of x [parameters, candidates]."""
        t, c = self.theta(x), self.column
        if np.ndim(x) == 2:
            t = {k: np.asarray(v).reshape(1, -1) for k, v in t.items()}
            c = {k: v[:, None] if v.ndim == 1 else v[:, :, None] for k, v in c.items()}
        amp, shared = c["sixteen_bit"] > 0, c["shared"] > 0
        compute, d = 0, 0
        for i, term in enumerate(TERMS):
            efficiency = t["beta_" + term]
            for name in DIMENSIONS[term]:
                efficiency = efficiency / (1 + np.exp(-c["dimensions"][:, d] / t[name]))
                d += 1
            factor = t["C_" + term] * np.where(amp, t["S_%s_bf16" % term], 1)
            if term != "conv":
                factor = factor * np.where(shared, t["S_%s_shared" % term], 1)
            compute = compute + c["peak_s"][:, i] / efficiency * factor
        memory = (c["memory_s"] * np.minimum(1, np.maximum(t["lambda_miss"], c["l2_ratio"])) * t["C_mem"] *
                  np.where(shared, t["S_mem_shared"], 1))
        passes = np.maximum(compute, memory) * c["grad_accum"]
        optimizer = c["optimizer_s"] * t["C_opt"]
        communication = c["ring_hops"] * t["L_hop"] + c["ring_s"] / t["BW_eff"]
        idle = c["kernels"] * t["t_kern"] + t["T_fixed"]
        step = passes + optimizer + communication + idle
        static = t["P_static"] * c["tdp_W"]
        dynamic = (c["tdp_W"] - static) * t["C_P"]
        limit = np.maximum(c["limit_W"], static)
        u = (compute + t["u_mem"] * memory) / (compute + memory)
        energy = (np.minimum(static + u * dynamic, limit) * passes +
                  np.minimum(static + t["u_mem"] * dynamic, limit) * optimizer +
                  np.minimum(static + t["u_comm"] * dynamic, limit) * communication + static * idle)
        return (60 * np.mean(np.abs(step / c["step_time_s"] - 1), axis=0) +
                40 * np.mean(np.abs(energy / step / c["average_power_W"] - 1), axis=0))

    def python(self, x):
        """The same for one vector, row by row."""
        t, loss = self.theta(x), 0.0
        for row in self.rows:
            compute, d = 0.0, 0
            for i, term in enumerate(TERMS):
                efficiency = t["beta_" + term]
                for name in DIMENSIONS[term]:
                    efficiency /= 1 + math.exp(-row["dimensions"][d] / t[name])
                    d += 1
                factor = t["C_" + term]
                if row["sixteen_bit"]:
                    factor *= t["S_%s_bf16" % term]
                if row["shared"] and term != "conv":
                    factor *= t["S_%s_shared" % term]
                compute += row["peak_s"][i] / efficiency * factor
            memory = row["memory_s"] * min(1, max(t["lambda_miss"], row["l2_ratio"])) * t["C_mem"]
            if row["shared"]:
                memory *= t["S_mem_shared"]
            passes = max(compute, memory) * row["grad_accum"]
            optimizer = row["optimizer_s"] * t["C_opt"]
            communication = row["ring_hops"] * t["L_hop"] + row["ring_s"] / t["BW_eff"]
            idle = row["kernels"] * t["t_kern"] + t["T_fixed"]
            step = passes + optimizer + communication + idle
            static = t["P_static"] * row["tdp_W"]
            dynamic, limit = (row["tdp_W"] - static) * t["C_P"], max(row["limit_W"], static)
            u = (compute + t["u_mem"] * memory) / (compute + memory)
            energy = (min(static + u * dynamic, limit) * passes +
                      min(static + t["u_mem"] * dynamic, limit) * optimizer +
                      min(static + t["u_comm"] * dynamic, limit) * communication + static * idle)
            loss += 60 * abs(step / row["step_time_s"] - 1) + 40 * abs(energy / step / row["average_power_W"] - 1)
        return loss / len(self.rows)


def run_scipy(problem, seed, loss, vectorized, generations):
    start, cpu = time.perf_counter(), time.process_time()
    result = differential_evolution(loss, problem.bounds, strategy="best1bin", maxiter=generations, popsize=15,
                                    tol=0.01 if generations > 100 else 0, mutation=(0.5, 1.5), recombination=0.7,
                                    rng=np.random.default_rng(seed), polish=False, init="latinhypercube",
                                    updating="deferred", vectorized=vectorized)
    evaluations = (result.nit + 1) * 15 * len(problem.bounds)
    return {"loss": float(result.fun), "generations": result.nit, "evaluations": evaluations,
            "seconds": time.perf_counter() - start, "cpu": (time.process_time() - cpu) / evaluations}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="the program bench_calibration")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    problem = Problem(subprocess.run([args.bench, "export"], check=True, capture_output=True, text=True).stdout)
    middle = np.array([0.5 * (a + b) for a, b in problem.bounds])
    assert abs(problem.python(middle) / problem.numpy(middle) - 1) < 1e-12
    seeds = range(1, args.seeds + 1)
    out = subprocess.run([args.bench, "fit"] + [str(s) for s in seeds], check=True, capture_output=True, text=True)
    ours = list(csv.DictReader(out.stdout.splitlines()))
    theirs = [run_scipy(problem, s, problem.numpy, True, 50000) for s in seeds]
    print(f"SciPy {scipy.__version__}, NumPy {np.__version__}, Python {platform.python_version()}; "
          f"{len(problem.free)} parameters, population {15 * len(problem.free)}, {len(problem.rows)} rows\n")
    print("| | loss, lowest | median | highest | median generations |\n|---|---|---|---|---|")
    for name, runs in (("ADEPT", ours), ("SciPy", theirs)):
        losses = sorted(float(r["loss"]) for r in runs)
        print(f"| {name} | {losses[0]:.4f} | {statistics.median(losses):.4f} | {losses[-1]:.4f} | "
              f"{statistics.median(int(r['generations']) for r in runs):g} |")
    our_s = statistics.median(float(r["seconds"]) / float(r["evaluations"]) for r in ours)
    print("\n| loss in | processor time per evaluation, us | times ADEPT (one thread) |\n|---|---|---|")
    print(f"| ADEPT, candidates side by side | {1e6 * our_s:.2f} | 1 |")
    for name, loss, vectorized, generations in (
            ("SciPy, NumPy over the whole population", problem.numpy, True, 100),
            ("SciPy, NumPy over the rows, one vector at a time", problem.numpy, False, 5),
            ("SciPy, plain Python loop over the rows", problem.python, False, 2)):
        each = run_scipy(problem, 1, loss, vectorized, generations)["cpu"]
        print(f"| {name} | {1e6 * each:.1f} | {each / our_s:.0f} |", flush=True)


if __name__ == "__main__":
    main()
