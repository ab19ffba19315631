"""What a model's folder says about itself: whether it can be used, its size and its limit. Reads headers only, no torch."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.core.errors import ModelNotReady

CONFIG = "config.json"
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
WHOLE = ("*.safetensors", CONFIG, "tokenizer*", "chat_template*", "vocab.*", "merges.txt", "*.model")
LIMITS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")
LIMIT_UNKNOWN = 2048  # tokens; what every model of recent years takes


def check(folder: Path) -> None:
    """Raise ModelNotReady, with the next step, unless `folder` holds a model that can be loaded without running its code."""
    if not (folder / CONFIG).is_file():
        raise ModelNotReady(f"{folder} holds no model: it has no {CONFIG}. Choose the folder that has one.")
    if not list(folder.glob("*.safetensors")):
        raise ModelNotReady(without_safetensors(folder))
    if "auto_map" in config(folder):
        raise ModelNotReady(
            f"The model in {folder.name} needs program code of its own to run (auto_map in {CONFIG}), and the studio runs "
            "no code that comes with a model. Choose a model that transformers knows by itself."
        )
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise ModelNotReady(
            f"{folder} has no tokenizer beside the weights. Put the model's tokenizer.json there, then choose it again."
        )


def has_template(folder: Path) -> bool:
    """Whether a model's tokenizer comes with a chat template."""
    if list(folder.glob("chat_template*")):
        return True
    try:
        settings = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and bool(settings.get("chat_template"))


def without_safetensors(folder: Path) -> str:
    if any(list(folder.glob(pattern)) for pattern in PICKLED):
        return (
            f"The weights in {folder} are pickle files, which can run code when they are opened. Choose a version of this "
            "model in safetensors, or convert it with its maker's tools."
        )
    return f"{folder} has no weights in safetensors. Choose a folder that holds a whole model."


def config(folder: Path) -> dict[str, Any]:
    """The model's own settings. Raises ModelNotReady where they cannot be read."""
    try:
        settings = json.loads((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelNotReady(
            f"{folder / CONFIG} cannot be read. Fetch the model again or choose another."
        ) from error
    if not isinstance(settings, dict):
        raise ModelNotReady(f"{folder / CONFIG} is not a model's configuration. Fetch the model again.")
    return settings


def limit(folder: Path) -> int:
    """The longest conversation the model was made for, in tokens."""
    settings = config(folder)
    for part in (settings.get("text_config") or {}, settings):
        for name in LIMITS:
            if isinstance(part.get(name), int):
                return int(part[name])
    return LIMIT_UNKNOWN


def width(folder: Path) -> int:
    """The width of the model's layers."""
    settings = config(folder)
    settings = settings.get("text_config") or settings
    return int(settings.get("hidden_size") or settings.get("n_embd") or 1024)


@dataclass(frozen=True)
class Weights:
    """Numbers of parameters: those in the matrices that 4 bits can hold, and all the others (embeddings, norms)."""

    matrices: int
    others: int

    @property
    def parameters(self) -> int:
        return self.matrices + self.others

    def memory(self, precision: str) -> int:
        """Bytes that the weights take once loaded in nf4, bf16 or fp32."""
        if precision == "nf4":
            # 4 bits a weight and, with double quantisation, 0.127 bits more for the scales of its block.
            return int(self.matrices * 4.127 / 8 + self.others * 2)
        return self.parameters * (4 if precision == "fp32" else 2)


def weights(folder: Path) -> Weights:
    """Count parameters from the headers of the safetensors files. Raises ModelNotReady for a damaged file."""
    matrices = others = 0
    for file in sorted(folder.glob("*.safetensors")):
        for name, tensor in header(file).items():
            size = math.prod(tensor["shape"])
            if len(tensor["shape"]) == 2 and "embed" not in name and "lm_head" not in name:
                matrices += size
            else:
                others += size
    return Weights(matrices, others)


def header(file: Path) -> dict[str, dict[str, Any]]:
    """Name -> dtype and shape of each tensor. Raises ModelNotReady unless the file is as long as it says."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            tensors = json.loads(stream.read(min(length, 100_000_000)))
        tensors.pop("__metadata__", None)
        end = max((each["data_offsets"][1] for each in tensors.values()), default=0)
        whole = file.stat().st_size == 8 + length + end
    except OSError as error:
        raise ModelNotReady(
            f"{file} cannot be read ({error.strerror}). Check who owns it, or choose another base model."
        ) from error
    except (ValueError, struct.error, KeyError, TypeError, AttributeError) as error:
        raise ModelNotReady(f"{file} is damaged. Fetch the model again.") from error
    if not whole:
        raise ModelNotReady(f"{file} is not whole: a copy or download broke off. Fetch the model again.")
    return dict(tensors)


def identity(folder: Path) -> str:
    """A text that differs when the weights differ: the manifest where there is one, else each file's size, time and header."""
    manifest = folder / "manifest.json"
    if manifest.is_file():
        return manifest.read_text("utf-8")
    files = sorted(folder.glob("*.safetensors"))
    return repr([(file.name, file.stat().st_size, file.stat().st_mtime_ns, header(file)) for file in files])


def revision(folder: Path) -> str:
    """A short name of all that a run's result depends on: each byte of the weights, the tokenizer and the chat template.

    Read in full, unlike `identity`: the same files copied back have other times, and another model may have the same size.
    """
    digest = hashlib.sha256()
    for path in sorted({path for pattern in WHOLE for path in folder.glob(pattern)}):
        with path.open("rb") as file:
            digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
