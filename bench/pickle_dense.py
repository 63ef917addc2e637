#!/usr/bin/env python3
"""Prints what inspecting an opcode-dense pickle costs, Holdfast beside picklescan.

    pickle_dense.py HOLDFAST [--file FILE] [--runs N]

Writes the file (12.3 MB, about two bytes an instruction) where there is none. picklescan is run where this Python has
it. The figure is processor time, user and system, of the whole process, the least of N runs; memory is its peak.
"""
import argparse
import importlib.util
import multiprocessing
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile

SIZE = 12_300_000


def write_dense(path):
    rows = []
    for i in range(1000):
        rows.append([i % 256, (i % 100, None, True), {"a": (), "b": [i % 7, i % 11]}, -1, 300 + i])
    block = pickle.dumps(rows, 4)
    # Loaded anew for each copy, so that every row is written out and none is a reference to another.
    path.write_bytes(pickle.dumps([row for _ in range(SIZE // len(block)) for row in pickle.loads(block)], 4))


def cost(command, runs):
    best = None
    for _ in range(runs):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            _, _, usage = os.wait4(child.pid, 0)
            child.returncode = 0
        seconds = usage.ru_utime + usage.ru_stime
        if best is None or seconds < best[0]:
            best = (seconds, usage.ru_maxrss)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("holdfast", type=pathlib.Path)
    parser.add_argument("--file", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "pickle_dense.pkl")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if not options.file.exists():
        # In a process of its own: what a child is forked from counts towards its peak.
        writer = multiprocessing.get_context("spawn").Process(target=write_dense, args=(options.file,))
        writer.start()
        writer.join()
    tools = {"holdfast": ([str(options.holdfast), "inspect", str(options.file)], options.runs)}
    if importlib.util.find_spec("picklescan"):
        tools["picklescan"] = ([sys.executable, "-m", "picklescan", "-p", str(options.file)], 1)
    print(f"{options.file} has {options.file.stat().st_size / 1e6:.1f} MB")
    for name, (command, runs) in tools.items():
        seconds, kilobytes = cost(command, runs)
        print(f"{name:12} {seconds * 1000:9.1f} ms of processor time, {kilobytes / 1024:7.1f} MiB at its peak")


if __name__ == "__main__":
    main()
