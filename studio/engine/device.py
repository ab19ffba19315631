"""Which device computes, in what number format, with how many threads, and why."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

from studio.engine.api import Device

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Choice:
    """`device` is cuda, mps or cpu; `dtype` the format of 16-bit work there, bfloat16 or float32; `why` a phrase."""

    device: str
    dtype: str
    threads: int
    why: str


def choose() -> Choice:
    """Take the fastest device there is, and let torch use all processor cores but one. Imports torch."""
    import torch

    threads = threads_wanted()
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    if torch.cuda.is_available():
        dtype = working_dtype("cuda")
        lack = "" if dtype == "bfloat16" else "; it has no bfloat16, so it works in float32"
        return Choice(
            "cuda", dtype, threads, f"{torch.cuda.get_device_name()} is the fastest device here{lack}"
        )
    if torch.backends.mps.is_available():
        return Choice("mps", "bfloat16", threads, "the Apple GPU is the fastest device here")
    return Choice("cpu", "bfloat16", threads, f"no CUDA or Apple GPU was found; {counted(threads)}")


def working_dtype(device: str) -> str:
    """What products are computed in where the weights are 4-bit. Imports torch.

    float16 is never taken: its range is too small for training without loss scaling, and one format for training and
    answering keeps both comparable. A CUDA card that only emulates bfloat16 (before Ampere) therefore works in float32.
    """
    import torch

    emulated = device == "cuda" and torch.cuda.get_device_capability() < (8, 0)
    return "float32" if emulated else "bfloat16"


def threads_wanted() -> int:
    """All cores but one, which stays with the page: with every core taken its clicks wait for a whole matrix product."""
    return max(1, cores() - 1)


def cores() -> int:
    """Physical cores that this process may run on; a second thread on the same core slows matrix products down."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, psutil.cpu_count(logical=False) or allowed)


def counted(threads: int) -> str:
    return f"{threads} of {cores()} cores compute, so that the page stays quick"


def before_torch() -> Device:
    """What can be told in an instant, without importing torch: the machine, and whether an accelerator may be there."""
    memory = psutil.virtual_memory()
    name = f"{platform.system()} {platform.machine()}, {counted_cores()}"
    return Device("cpu", name, accelerator_hint(), memory.total, memory.total - memory.available)


def counted_cores() -> str:
    return "1 core" if cores() == 1 else f"{cores()} cores"


def accelerator_hint() -> str:
    if NVIDIA_DRIVER.exists():
        return "an NVIDIA driver is here; its card is looked at when a model is loaded"
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "an Apple GPU is here; it is looked at when a model is loaded"
    return "no sign of a GPU; looked at again when a model is loaded"


def describe(choice: Choice) -> Device:
    """The chosen device with its memory as it is now, in bytes. Imports torch."""
    if choice.device != "cuda":
        seen = before_torch()
        name = seen.name if choice.device == "cpu" else f"Apple GPU, {seen.name}"
        return Device(choice.device, name, choice.why, seen.total_memory, seen.used_memory)
    import torch

    free, total = torch.cuda.mem_get_info()
    return Device("cuda", torch.cuda.get_device_name(), choice.why, total, total - free)


def available_memory(device: str) -> int:
    """Bytes that can be taken on a device now. Imports torch on CUDA."""
    if device != "cuda":
        return int(psutil.virtual_memory().available)  # an Apple GPU shares it
    import torch

    return int(torch.cuda.mem_get_info()[0])
