"""How far the fast forms' gradients in fp32 are from one conversation at a time through plain PEFT."""

from __future__ import annotations

from typing import Any

from studio.engine import kernels
from tests.engine import architectures

LONGEST = 23  # tokens of the packed row's longest conversation


def row() -> dict[str, Any]:
    """The farthest of all architectures; `spread` is the nearest and the farthest. There is nothing to divide by."""
    kinds = (*architectures.WITH_FAMILY, *architectures.WITHOUT_FAMILY)
    apart = sorted(farthest(kind) for kind in kinds)
    what = "fp32 gradients, relative to plain PEFT"
    return {"what": what, "ours": apart[-1], "peer": 0, "ratio": apart[-1], "spread": [apart[0], apart[-1]]}


def farthest(kind: str) -> float:
    peft, packed = architectures.model(kind), architectures.row()
    expected = architectures.gradients(peft, kernels.plain_loss, packed)
    loss, _ = kernels.choose_loss(peft, packed, LONGEST)
    return float(architectures.relative(architectures.gradients(peft, loss, packed), expected))
