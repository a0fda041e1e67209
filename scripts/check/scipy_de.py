#!/usr/bin/env python3
"""Compares ADEPT's differential evolution with SciPy's on standard functions.

Same settings on both sides: Latin hypercube start, 15 members per parameter, F drawn per generation from
(0.5, 1.5), CR 0.7, deferred updating, tol 0.01, at most 50,000 generations, no polish. For every function
prints, for either optimizer, how many seeds end in the global minimum, the median of the minima and of the
generations, and evaluations per second: SciPy with a loss of NumPy that takes the whole population
("vectorized"), and one vector at a time.

  cmake -B build-bench -DCMAKE_BUILD_TYPE=Release -DADEPT_BENCH=ON && cmake --build build-bench --target bench_de
  python3 scripts/check/scipy_de.py --bench build-bench/bench/bench_de --seeds 10
"""
import argparse
import csv
import platform
import statistics
import subprocess
import time

import numpy as np
import scipy
from scipy.optimize import differential_evolution

# Each takes x [n] or x [n, S]. The same definitions as tests/numeric/standard_functions.c.


def sphere(x):
    return np.sum(x * x, axis=0)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2, axis=0)


def rastrigin(x):
    return 10 * len(x) + np.sum(x * x - 10 * np.cos(2 * np.pi * x), axis=0)


def ackley(x):
    n = len(x)
    return (20 + np.e - 20 * np.exp(-0.2 * np.sqrt(np.sum(x * x, axis=0) / n))
            - np.exp(np.sum(np.cos(2 * np.pi * x), axis=0) / n))


def griewank(x):
    roots = np.sqrt(np.arange(1, len(x) + 1)).reshape((-1,) + (1,) * (x.ndim - 1))
    return 1 + np.sum(x * x, axis=0) / 4000 - np.prod(np.cos(x / roots), axis=0)


def beale(x):
    return ((1.5 - x[0] + x[0] * x[1]) ** 2 + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2
            + (2.625 - x[0] + x[0] * x[1] ** 3) ** 2)


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def schwefel(x):
    return 418.98288727243378 * len(x) - np.sum(x * np.sin(np.sqrt(np.abs(x))), axis=0)


FUNCTIONS = {  # name: (function, lower, upper)
    "sphere": (sphere, -5.12, 5.12),
    "rosenbrock": (rosenbrock, -5, 10),
    "rastrigin": (rastrigin, -5.12, 5.12),
    "ackley": (ackley, -32.768, 32.768),
    "griewank": (griewank, -600, 600),
    "beale": (beale, -4.5, 4.5),
    "himmelblau": (himmelblau, -5, 5),
    "schwefel": (schwefel, -500, 500),
}
GLOBAL = 1e-3  # all minima are 0; the next lowest one of any of these functions is above 7e-3


def run_adept(bench, strategy, seeds, atol):
    """{(function, n): [{minimum, generations, evaluations, seconds} per seed]}"""
    out = subprocess.run([bench, "functions", strategy, str(seeds), str(atol)], check=True,
                         capture_output=True, text=True).stdout
    runs = {}
    for row in csv.DictReader(out.splitlines()):
        run = {k: float(row[k]) for k in ("minimum", "generations", "evaluations", "seconds")}
        runs.setdefault((row["function"], int(row["n"])), []).append(run)
    return runs


def run_scipy(name, n, strategy, seed, atol, vectorized=True, generations=50000):
    function, lower, upper = FUNCTIONS[name]
    start = time.perf_counter()
    result = differential_evolution(function, [(lower, upper)] * n, strategy=strategy, maxiter=generations,
                                    popsize=15, tol=0.01, atol=atol, mutation=(0.5, 1.5), recombination=0.7,
                                    rng=np.random.default_rng(seed), polish=False, init="latinhypercube",
                                    updating="deferred", vectorized=vectorized)
    seconds = time.perf_counter() - start
    # With vectorized, SciPy counts calls; evaluations are (generations + start) x population.
    return {"minimum": float(result.fun), "generations": result.nit,
            "evaluations": (result.nit + 1) * len(result.population), "seconds": seconds}


def summary(runs):
    found = sum(abs(r["minimum"]) < GLOBAL for r in runs)
    median = statistics.median(r["minimum"] for r in runs)
    generations = statistics.median(r["generations"] for r in runs)
    return found, median, generations, sum(r["evaluations"] for r in runs) / sum(r["seconds"] for r in runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="the program bench_de")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--atol", type=float, default=1e-6, help="the minima are 0: tol alone never stops")
    parser.add_argument("--strategy", action="append", help="default: best1bin and rand1bin")
    parser.add_argument("--skip", action="append", default=[], help="function:n left out, for example griewank:10")
    args = parser.parse_args()
    print(f"SciPy {scipy.__version__}, NumPy {np.__version__}, Python {platform.python_version()}, "
          f"{args.seeds} seeds, atol {args.atol:g}\n")
    for strategy in args.strategy or ["best1bin", "rand1bin"]:
        print(f"| {strategy} | n | global minimum found: ADEPT | SciPy | median minimum: ADEPT | SciPy | "
              "median generations: ADEPT | SciPy | evaluations/s: ADEPT | SciPy vectorized | SciPy by vector |")
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        for (name, n), runs in run_adept(args.bench, strategy, args.seeds, args.atol).items():
            if f"{name}:{n}" in args.skip:
                continue
            a = summary(runs)
            s = summary([run_scipy(name, n, strategy, seed, args.atol) for seed in range(args.seeds)])
            one = summary([run_scipy(name, n, strategy, 0, args.atol, vectorized=False, generations=20)])
            print(f"| {name} | {n} | {a[0]}/{args.seeds} | {s[0]}/{args.seeds} | {a[1]:.1e} | {s[1]:.1e} | "
                  f"{a[2]:g} | {s[2]:g} | {a[3]:.2g} | {s[3]:.2g} | {one[3]:.2g} |", flush=True)
        print()


if __name__ == "__main__":
    main()
