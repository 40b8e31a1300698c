"""PCA, k-means, Gaussian mixture, sparse coding and RBM: Forethought beside scikit-learn, on the same data, in one run.

    pip install -r crates/forethought-energy/benches/sklearn/requirements.txt
    OMP_NUM_THREADS=1 python3 crates/forethought-energy/benches/sklearn/compare.py --write

Both are judged by the same functions below, from what they fitted. They take turns, each on one thread; times are of the
processor, medians over rounds. `--write` puts the table into BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, DictionaryLearning, sparse_encode
from sklearn.mixture import GaussianMixture
from sklearn.neural_network import BernoulliRBM

ROOT = Path(__file__).resolve().parents[4]


class Forethought:
    """The bench binary, asked line by line."""

    def __init__(self) -> None:
        command = ["cargo", "bench", "-q", "-p", "forethought-energy", "--bench", "sklearn", "--", "--serve"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request: Any) -> dict[str, Any]:
        packed = {key: packed_matrix(value) if isinstance(value, np.ndarray) else value for key, value in request.items()}
        self.process.stdin.write(json.dumps(packed) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def packed_matrix(rows: np.ndarray) -> dict[str, Any]:
    """Rows here are columns there: the numbers lie in the same order."""
    return {"rows": rows.shape[1], "values": np.ascontiguousarray(rows, dtype=float).ravel().tolist()}


def fitted(model: Any, samples: np.ndarray) -> float:
    """The processor's seconds that it takes to fit."""
    begun = time.thread_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(samples)
    return time.thread_time() - begun


@dataclass
class Case:
    """What is fitted. `ours` and `theirs` get a seed, and give what is judged with the seconds that it took."""

    name: str
    data: str
    objective: str
    ours: Callable[[int], tuple[float, float]]
    theirs: Callable[[int], tuple[float, float]]
    higher_is_better: bool = False


def pca(forethought: Forethought, digits: np.ndarray) -> Case:
    components = 16

    def residual(mean: np.ndarray, basis: np.ndarray) -> float:
        centred = digits - mean
        return float(((centred - centred @ basis.T @ basis) ** 2).sum(axis=1).mean())

    def ours(_: int) -> tuple[float, float]:
        got = forethought.ask(case="pca", samples=digits, components=components)
        return residual(np.array(got["mean"]), np.array(got["components"]).reshape(components, -1)), got["seconds"]

    def theirs(_: int) -> tuple[float, float]:
        model = PCA(components, svd_solver="covariance_eigh")
        seconds = fitted(model, digits)
        return residual(model.mean_, model.components_), seconds

    return Case("PCA, 16 components", "digits", "mean squared residual", ours, theirs)


def kmeans(forethought: Forethought, digits: np.ndarray) -> Case:
    centres, restarts = 10, 10

    def energy(means: np.ndarray) -> float:
        return float(((digits[:, None] - means[None]) ** 2).sum(axis=2).min(axis=1).mean())

    def ours(seed: int) -> tuple[float, float]:
        got = forethought.ask(case="kmeans", samples=digits, centres=centres, restarts=restarts, seed=seed)
        return energy(np.array(got["centres"]).reshape(centres, -1)), got["seconds"]

    def theirs(seed: int) -> tuple[float, float]:
        model = KMeans(centres, n_init=restarts, max_iter=300, tol=0, random_state=seed)
        seconds = fitted(model, digits)
        return energy(model.cluster_centers_), seconds

    return Case("k-means, 10 centres, best of 10", "digits", "mean squared distance", ours, theirs)


def gaussian_mixture(forethought: Forethought, digits: np.ndarray) -> Case:
    parts, floor, steps, tolerance = 10, 1e-3, 200, 1e-4
    samples = PCA(16, svd_solver="full").fit_transform(digits)

    def start(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        labels = KMeans(parts, n_init=1, random_state=seed).fit(samples).labels_
        groups = [samples[labels == part] for part in range(parts)]
        covariances = [np.cov(group.T, bias=True) + floor * np.eye(samples.shape[1]) for group in groups]
        weights = np.array([len(group) / len(samples) for group in groups])
        return weights, np.array([group.mean(axis=0) for group in groups]), np.array(covariances)

    def surprise(weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> float:
        joint = []
        for weight, mean, covariance in zip(weights, means, covariances):
            white = np.linalg.solve(np.linalg.cholesky(covariance), (samples - mean).T)
            volume = np.linalg.slogdet(2 * np.pi * covariance)[1]
            joint.append(np.log(weight) - 0.5 * (white**2).sum(axis=0) - 0.5 * volume)
        return float(-np.logaddexp.reduce(joint, axis=0).mean())

    def ours(seed: int) -> tuple[float, float]:
        weights, means, covariances = start(seed)
        features = samples.shape[1]
        got = forethought.ask(case="gaussian_mixture", samples=samples, weights=weights[:, None], means=means,
                              covariances=covariances.reshape(-1, features), floor=floor, steps=steps, tolerance=tolerance)
        means = np.array(got["means"]).reshape(parts, features)
        covariances = np.array(got["covariances"]).reshape(parts, features, features)
        return surprise(np.array(got["weights"]), means, covariances), got["seconds"]

    def theirs(seed: int) -> tuple[float, float]:
        weights, means, covariances = start(seed)
        model = GaussianMixture(parts, reg_covar=floor, tol=tolerance, max_iter=steps, weights_init=weights, means_init=means,
                                precisions_init=np.linalg.inv(covariances), init_params="random_from_data")
        seconds = fitted(model, samples)
        return surprise(model.weights_, model.means_, model.covariances_), seconds

    return Case("Gaussian mixture, 10 parts, same start", "digits, 16 PCA components", "mean -log likelihood", ours, theirs)


def sparse_coding(forethought: Forethought, digits: np.ndarray) -> Case:
    """scikit-learn's objective is half of ours: its alpha is half of lambda."""
    atoms, alpha, steps = 100, 0.1, 30
    samples = digits - digits.mean(axis=0)

    def energy(dictionary: np.ndarray) -> float:
        codes = sparse_encode(samples, dictionary, algorithm="lasso_cd", alpha=alpha, max_iter=5000)
        return float((((samples - codes @ dictionary) ** 2).sum() + 2 * alpha * np.abs(codes).sum()) / len(samples))

    def start(seed: int) -> np.ndarray:
        chosen = samples[np.random.default_rng(seed).choice(len(samples), atoms, replace=False)]
        return chosen / np.linalg.norm(chosen, axis=1, keepdims=True)

    def ours(seed: int) -> tuple[float, float]:
        got = forethought.ask(case="sparse_coding", samples=samples, atoms=start(seed), steps=steps, **{"lambda": 2 * alpha})
        return energy(np.array(got["atoms"]).reshape(atoms, -1)), got["seconds"]

    def theirs(seed: int) -> tuple[float, float]:
        model = DictionaryLearning(atoms, alpha=alpha, max_iter=steps, tol=0, fit_algorithm="cd", dict_init=start(seed),
                                   code_init=np.zeros((len(samples), atoms)), random_state=seed)
        seconds = fitted(model, samples)
        return energy(model.components_), seconds

    return Case("sparse coding, 100 atoms, lambda 0.2, 30 steps, same start", "digits, centred",
                "mean squared error + lambda times length (L1)", ours, theirs)


def rbm(forethought: Forethought, digits: np.ndarray) -> Case:
    hidden, batch, rate, epochs = 12, 10, 0.05, 20
    samples = (digits > 0.5).astype(float)
    states = (np.arange(2**hidden)[:, None] >> np.arange(hidden) & 1).astype(float)

    def likelihood(weights: np.ndarray, visible: np.ndarray, hidden_bias: np.ndarray) -> float:
        """Exact: the partition function is summed over all hidden states. `weights` are `[hidden, visible]`."""
        partition = np.logaddexp.reduce(states @ hidden_bias + np.logaddexp(0, states @ weights + visible).sum(axis=1))
        free = -(samples @ visible) - np.logaddexp(0, samples @ weights.T + hidden_bias).sum(axis=1)
        return float(-free.mean() - partition)

    def ours(seed: int) -> tuple[float, float]:
        weights = np.random.default_rng(seed).normal(0, 0.01, (hidden, samples.shape[1]))
        got = forethought.ask(case="rbm", samples=samples, weights=weights, batch=batch, rate=rate, epochs=epochs, seed=seed)
        return likelihood(np.array(got["weights"]).reshape(hidden, -1), np.array(got["visible"]), np.array(got["hidden"])), got["seconds"]

    def theirs(seed: int) -> tuple[float, float]:
        model = BernoulliRBM(hidden, learning_rate=rate, batch_size=batch, n_iter=epochs, random_state=seed)
        # It takes the samples in the order in which they come, as often as it is told.
        order = np.random.default_rng(seed).permutation(len(samples))
        seconds = fitted(model, samples[order])
        return likelihood(model.components_, model.intercept_visible_, model.intercept_hidden_), seconds

    return Case("RBM, 12 hidden units, PCD-1, 20 epochs", "digits, on or off", "mean exact log-likelihood", ours, theirs,
                higher_is_better=True)


def measure(case: Case, rounds: int) -> str:
    sides: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for seed in range(rounds):
        turn = [("ours", case.ours), ("theirs", case.theirs)]
        for side, fit in turn if seed % 2 == 0 else reversed(turn):
            sides[side].append(fit(seed))
    objectives = {side: statistics.mean(value for value, _ in runs) for side, runs in sides.items()}
    times = {side: statistics.median(seconds for _, seconds in runs) for side, runs in sides.items()}
    ratios = sorted(theirs[1] / ours[1] for ours, theirs in zip(sides["ours"], sides["theirs"]))
    better = (objectives["ours"] - objectives["theirs"]) / abs(objectives["theirs"])
    worse = -better if case.higher_is_better else better
    verdict = "same or better" if worse <= 0.01 else f"{100 * worse:.1f}% worse"
    print(f"{case.name}: {objectives['ours']:.5g} against {objectives['theirs']:.5g} ({verdict}), "
          f"{1e3 * times['ours']:.1f} ms against {1e3 * times['theirs']:.1f} ms", file=sys.stderr)
    ratio = statistics.median(ratios)
    return (f"| {case.name} | {case.data} | {case.objective} | {objectives['ours']:.5g} | {objectives['theirs']:.5g} | "
            f"{objectives['ours'] / objectives['theirs']:.4f} | {1e3 * times['ours']:.3g} ms | {1e3 * times['theirs']:.3g} ms | "
            f"**{ratio:.2f}x** ({ratios[0]:.2f} - {ratios[-1]:.2f}) |")


def processor() -> str:
    try:
        return re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into BENCHMARKS.md")
    arguments = parser.parse_args()
    digits = load_digits().data / 16
    forethought = Forethought()
    lines = [measure(make(forethought, digits), arguments.rounds) for make in (pca, kmeans, gaussian_mixture, sparse_coding, rbm)]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    table = "\n".join([
        f"Measured on {datetime.date.today()} at commit {commit}; {processor()}, one thread each; python "
        f"{platform.python_version()}, numpy {np.__version__}, scikit-learn {sklearn.__version__}. Means of the objective and "
        f"medians of the processor's time over {arguments.rounds} rounds with seeds of their own, in turn. In bold how many times "
        "Forethought's time scikit-learn takes, the median over rounds (lowest - highest).",
        "",
        "| model | data | objective | Forethought | scikit-learn | ratio | time | scikit-learn's | |",
        "|---|---|---|---|---|---|---|---|---|",
        *lines,
    ])
    print(table)
    if arguments.write:
        path = ROOT / "BENCHMARKS.md"
        begin, end = "<!-- sklearn:begin -->", "<!-- sklearn:end -->"
        text = path.read_text()
        before, after = text.split(begin)[0], text.split(end)[1]
        path.write_text(f"{before}{begin}\n{table}\n{end}{after}")


if __name__ == "__main__":
    main()
