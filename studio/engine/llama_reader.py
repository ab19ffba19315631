"""Reading tokens through a Llama-type model on the CPU: rows of any lengths in one pass, without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import embedding, scaled_dot_product_attention, silu

from studio.engine import packing
from studio.engine.adapters import Adapter, linears_of
from studio.engine.llama import Fused, Layer, layer, norm
from studio.engine.overlay import BASE, Share
from studio.engine.slots import Slots

# The difference's norm, as a share of the scores' own. In bf16 both ways of reading are about 0.04 from fp32's scores, on some
# machines 0.12, and 0.05 to 0.11 from each other; a layer left out or positions forgotten make it 0.45 and more.
AGREE = {torch.float32: 1e-4, torch.bfloat16: 0.2}


@dataclass(eq=False)
class Seat:
    """A row's place: its adapter's number, its row in the slots, and how many tokens of it are there."""

    owner: int
    row: int
    length: int


@dataclass(frozen=True)
class Several:
    """A row that takes in several tokens: where they stand in the pass, its slot, and which tokens each may look at."""

    span: slice
    row: int
    until: int
    mask: torch.Tensor  # [groups x tokens, until], nought or minus infinity


@dataclass(frozen=True)
class Pass:
    """What all layers of one pass need. `tokens` stand in the order of their rows."""

    cos: torch.Tensor  # [tokens, 1, width]
    sin: torch.Tensor  # the same, the first half negated
    rows: torch.Tensor  # of each token
    places: torch.Tensor  # of each token within its row
    several: list[Several]
    singles: torch.Tensor  # the tokens whose row takes in no other
    slots: torch.Tensor  # the rows of these
    until: int  # the most tokens that one of these looks at
    mask: torch.Tensor | None  # [rows, 1, 1, until]; None where all are of one length


class LlamaReader:
    """See decode.Reader. For models that `llama.applies` to; `agrees` tells whether the scores are the model's own."""

    joinable = True

    def __init__(self, model: Any) -> None:
        config = model.config
        self.model = model
        self.heads, self.key_heads = config.num_attention_heads, config.num_key_value_heads
        self.width = model.model.layers[0].self_attn.head_dim
        self.scaling = model.model.layers[0].self_attn.scaling
        self.embedding = model.model.embed_tokens.weight.detach()
        pack = packing.able(self.embedding) and packing.fits(model.get_memory_footprint())
        self.layers = [layer(at, each, pack) for at, each in enumerate(model.model.layers)]
        self.norm = norm(model.model.norm)
        self.head = Fused({"lm_head": model.lm_head}, pack)
        self.slots = Slots(len(self.layers), self.key_heads, self.width, self.embedding.dtype)
        self.seats: list[Seat] = []
        self.share = Share()
        self.adapters: list[Adapter] = []

    # --- rows

    def seat(self, adapter: Adapter | None, past: torch.Tensor | None = None, length: int = 0) -> Seat:
        owner = self.lay(adapter)
        held = past[:, :length] if past is not None and length else None
        seat = Seat(owner, self.slots.add(held), length if held is not None else 0)
        self.seats.append(seat)
        return seat

    def lay(self, adapter: Adapter | None) -> int:
        if adapter is None:
            return BASE
        if adapter not in self.adapters:
            list(linears_of(self.model, adapter))  # raises where one does not fit
            # Those of the last question stay laid, the next one is likely to need them; but no longer than that.
            in_use = any(each.owner != BASE for each in self.seats)
            self.adapters = [*(self.adapters if in_use else ()), adapter]
            for fused in (self.head, *(part for each in self.layers for part in each.fused)):
                fused.lay(self.adapters)
        return self.adapters.index(adapter)

    def past(self, seat: Seat) -> torch.Tensor:
        return self.slots.past(seat.row, seat.length)

    def leave(self, seats: Sequence[Seat]) -> None:
        for seat in seats:
            last = next(each for each in self.seats if each.row == self.slots.rows - 1)
            self.slots.remove(seat.row, last.length)
            last.row = seat.row
            self.seats.remove(seat)

    def close(self) -> None:
        self.seats = []
        self.slots.clear()

    # --- the pass

    @torch.inference_mode()
    def forward(self, parts: Sequence[tuple[Seat, Sequence[int]]]) -> torch.Tensor:
        """See decode.Reader."""
        order = sorted(range(len(parts)), key=lambda at: parts[at][0].row)
        scores = self.scores([parts[at] for at in order])
        return scores if order == sorted(order) else scores[torch.tensor(order).argsort()]

    def scores(self, parts: Sequence[tuple[Seat, Sequence[int]]]) -> torch.Tensor:
        self.share.deal([seat.owner for seat, ids in parts for _ in ids])
        plan = self.planned(parts)
        x = embedding(torch.tensor([id for _, ids in parts for id in ids]), self.embedding)
        for at, each in enumerate(self.layers):
            x = self.through(each, self.slots.held[at], x, plan)
        for seat, ids in parts:
            seat.length += len(ids)
        last = torch.tensor([len(ids) for _, ids in parts]).cumsum(0) - 1
        self.share.deal([seat.owner for seat, _ in parts])
        return self.head(self.norm(x[last]), self.share).float()

    def planned(self, parts: Sequence[tuple[Seat, Sequence[int]]]) -> Pass:
        self.slots.reserve(0, max(seat.length + len(ids) for seat, ids in parts))
        places = torch.cat([torch.arange(seat.length, seat.length + len(ids)) for seat, ids in parts])
        cos, sin = self.model.model.rotary_emb(self.embedding, places[None])
        signs = torch.ones(self.width, dtype=sin.dtype)
        signs[: self.width // 2] = -1
        starts = [0, *torch.tensor([len(ids) for _, ids in parts]).cumsum(0).tolist()]
        placed = list(zip(starts, parts, strict=False))
        singles = [(at, seat) for at, (seat, ids) in placed if len(ids) == 1]
        until = max((seat.length + 1 for _, seat in singles), default=0)
        return Pass(
            cos=cos[0][:, None],
            sin=(sin[0] * signs)[:, None],
            rows=torch.tensor([seat.row for seat, ids in parts for _ in ids]),
            places=places,
            several=[self.several(at, seat, len(ids)) for at, (seat, ids) in placed if len(ids) > 1],
            singles=torch.tensor([at for at, _ in singles]),
            slots=torch.tensor([seat.row for _, seat in singles]),
            until=until,
            mask=self.mask([seat for _, seat in singles], until),
        )

    def several(self, at: int, seat: Seat, tokens: int) -> Several:
        until = seat.length + tokens
        hidden = torch.ones(tokens, until, dtype=torch.bool).triu(seat.length + 1)
        mask = self.hiding(hidden).repeat(self.heads // self.key_heads, 1)
        return Several(slice(at, at + tokens), seat.row, until, mask)

    def mask(self, seats: Sequence[Seat], until: int) -> torch.Tensor | None:
        """What each row may look at: its own tokens. Rows that take in several tokens stand by; they see their first."""
        if len(seats) == self.slots.rows and all(seat.length + 1 == until for seat in seats):
            return None
        seen = torch.ones(self.slots.rows, dtype=torch.long)
        for seat in seats:
            seen[seat.row] = seat.length + 1
        hidden = torch.arange(until) >= seen[:, None]
        return self.hiding(hidden)[:, None, None]

    def hiding(self, hidden: torch.Tensor) -> torch.Tensor:
        """A mask that is added to the scores of attention: minus infinity where `hidden` is True."""
        return torch.zeros(hidden.shape, dtype=self.embedding.dtype).masked_fill_(hidden, -torch.inf)

    def through(self, layer: Layer, held: torch.Tensor, x: torch.Tensor, plan: Pass) -> torch.Tensor:
        """x [tokens, size] through one layer, whose keys and values `held` [rows, tokens, 2, heads, width] grow."""
        qkv = layer.qkv(layer.before(x), self.share).view(len(x), -1, self.width)
        queries, keys = qkv[:, : self.heads], qkv[:, self.heads : -self.key_heads]
        if layer.q_norm and layer.k_norm:
            queries.copy_(layer.q_norm(queries))
            keys.copy_(layer.k_norm(keys))
        turn(qkv[:, : -self.key_heads], plan)
        held[plan.rows, plan.places] = qkv[:, self.heads :].view(len(x), 2, self.key_heads, self.width)
        x = x + layer.out(self.attended(queries, held, plan), self.share)
        gate, up = layer.gate_up(layer.after(x), self.share).chunk(2, -1)
        return x + layer.down(silu(gate).mul_(up), self.share)

    def attended(self, queries: torch.Tensor, held: torch.Tensor, plan: Pass) -> torch.Tensor:
        """What each token [tokens, heads, width] finds in its row, as [tokens, heads x width]."""
        if not plan.several and len(plan.slots) == self.slots.rows:
            return self.attended_singly(queries, held, plan)
        made = queries.new_empty(len(queries), self.heads * self.width)
        for each in plan.several:
            made[each.span] = self.attended_severally(queries[each.span], held, each)
        if len(plan.singles):
            standing_by = queries.new_zeros(self.slots.rows, self.heads, self.width)
            standing_by[plan.slots] = queries[plan.singles]
            made[plan.singles] = self.attended_singly(standing_by, held, plan)[plan.slots]
        return made

    def attended_singly(self, queries: torch.Tensor, held: torch.Tensor, plan: Pass) -> torch.Tensor:
        """One token of each row, all rows in one product: heads that share keys stand as if they were tokens."""
        keys, values = held[: self.slots.rows, : plan.until].permute(2, 0, 3, 1, 4)
        grouped = queries.unflatten(1, (self.key_heads, -1))
        made = scaled_dot_product_attention(grouped, keys, values, plan.mask, scale=self.scaling)
        return made.reshape(len(queries), -1)

    def attended_severally(self, queries: torch.Tensor, held: torch.Tensor, each: Several) -> torch.Tensor:
        keys, values = held[each.row, : each.until].permute(1, 2, 0, 3)[:, None]
        grouped = queries.unflatten(1, (self.key_heads, -1)).permute(1, 2, 0, 3)
        flat = grouped.reshape(1, self.key_heads, -1, self.width)
        made = scaled_dot_product_attention(flat, keys, values, each.mask, scale=self.scaling)
        return made.view(grouped.shape).permute(2, 0, 1, 3).reshape(len(queries), -1)


def turn(x: torch.Tensor, plan: Pass) -> None:
    """Turn queries and keys [tokens, heads, width] by their positions, in place and as transformers computes it."""
    crosswise = x.roll(x.shape[-1] // 2, -1).mul_(plan.sin)
    x.mul_(plan.cos).add_(crosswise)


def agrees(reader: LlamaReader) -> bool:
    """Whether two rows of different lengths, read in parts, get the scores of the model's own forward."""
    try:
        return disagreement(reader) < AGREE[reader.embedding.dtype]
    except RuntimeError:  # shapes that do not fit together: a part that the structure did not tell of
        return False
    finally:
        reader.close()


@torch.inference_mode()
def disagreement(reader: LlamaReader) -> float:
    """The difference from the model's own scores, as a share of these."""
    size = reader.model.config.vocab_size
    rows = [[(7 * at + 3) % size for at in range(23)], [(11 * at + 5) % size for at in range(9)]]
    seats = [reader.seat(None) for _ in rows]
    reader.forward([(seat, row[:-2]) for seat, row in zip(seats, rows, strict=True)])
    reader.forward([(seats[1], rows[1][-2:-1]), (seats[0], rows[0][-2:-1])])
    made = reader.forward([(seat, row[-1:]) for seat, row in zip(seats, rows, strict=True)])
    expected = torch.stack(
        [reader.model(input_ids=torch.tensor([row])).logits[0, -1].float() for row in rows]
    )
    return float((made - expected).norm() / (expected - expected.mean(-1, keepdim=True)).norm())
