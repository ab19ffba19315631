"""Votes on their way out: JSON Lines, a table for spreadsheets, or Parquet; all of them flat, one vote a row."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

from studio.store.tables import guarded

KINDS = ("jsonl", "csv", "parquet")


def encoded(kind: str, rows: Sequence[dict[str, Any]]) -> bytes:
    """A file of that kind. In CSV cells that a spreadsheet would compute get an apostrophe."""
    import pandas as pd

    if kind == "jsonl":
        return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in rows).encode()
    table = pd.DataFrame(rows)
    if kind == "parquet":
        sink = io.BytesIO()
        table.to_parquet(sink, index=False)
        return sink.getvalue()
    plain = table.map(lambda cell: guarded(cell if isinstance(cell, str) else json.dumps(cell)))
    return str(plain.to_csv(index=False)).encode()
