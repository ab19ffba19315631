"""Loading: a tokenizer with its chat template, and a model's weights in the precision that suits device and memory."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from studio.core.errors import BadInput, DoesNotFit, ModelNotReady
from studio.core.records import Message
from studio.engine import device as devices
from studio.engine import folders, loading, memory, plain
from studio.engine.trial import quiet_bitsandbytes, trial

ROOM_FOR_WEIGHTS = 0.7  # of the memory available: training and answering need the rest
LOOKED_BACK = 16  # tokens: more than the words with which a next turn begins
CLEARLY = 0.8  # a form must take less than this share of bf16's time to be taken instead: trials are noisy


# --- tokenizer and chat template


def load_tokenizer(folder: Path) -> Any:
    """The folder's fast tokenizer. Raises ModelNotReady where it has none or no chat template. Does not import torch."""
    tokenizer = read_tokenizer(folder)
    if not tokenizer.chat_template:
        raise ModelNotReady(
            f"The model in {folder.name} has no chat template: it was not made for conversations. Choose its instruct or "
            "chat version, or take it under the plain template that the Prompt tab offers."
        )
    return tokenizer


def read_tokenizer(folder: Path) -> Any:
    """As `load_tokenizer`, with a chat template or without."""
    # Not `from transformers import`: the library puts another module in its own place while it is imported, and a second
    # thread whose import waits for that would be handed the first module, which is empty.
    transformers = importlib.import_module("transformers")
    try:
        if (folder / "tokenizer.json").is_file():
            # Straight from its file: AutoTokenizer would import torch, which the page can do without for long.
            tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        else:
            tokenizer = converted_tokenizer(folder)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise ModelNotReady(
            f"The tokenizer in {folder} cannot be read. Fetch the model again or choose another."
        ) from error
    if not tokenizer.is_fast:
        raise ModelNotReady(
            f"The tokenizer in {folder} has no fast form, so the studio cannot tell which token is whose. "
            "Choose another base model."
        )
    return tokenizer


def converted_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


class ChatTemplate:
    """A transformers tokenizer as encoding sees it (studio.core.encode.Template)."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @property
    def folder(self) -> Path:
        return Path(self.tokenizer.name_or_path)

    @cached_property
    def special_tokens(self) -> frozenset[str]:
        added = self.tokenizer.added_tokens_decoder.values()
        return frozenset(self.tokenizer.all_special_tokens) | {str(each) for each in added if each.special}

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """The tokenizer's end of text, and every end that the model's own generation settings name."""
        ends = {self.tokenizer.eos_token_id, *generation_ends(self.folder)}
        return frozenset(each for each in ends if each is not None)

    def render(self, messages: Sequence[Message], add_generation_prompt: bool) -> str:
        """Raises BadInput where the template itself refuses the conversation, as some do a system text, ModelNotReady
        where it cannot be run."""
        from jinja2 import TemplateError

        if not messages:
            raise BadInput(
                "A conversation has to start with a question. Put a user turn before the first answer."
            )
        turns = [{"role": each.role, "content": each.content} for each in messages]
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    turns, tokenize=False, add_generation_prompt=add_generation_prompt
                )
            )
        # A template is a program. What it raises by itself is a TemplateError; its mistakes are anything else.
        except Exception as error:
            if type(error) is TemplateError:
                raise BadInput(
                    f"This model's chat template refuses the conversation ({error}). Change its turns, or choose another base."
                ) from error
            raise ModelNotReady(
                f"This model's chat template has a mistake in it ({first_line(error)}). Choose another base model."
            ) from error

    def tokenize(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        made = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return made["input_ids"], made["offset_mapping"]

    @cached_property
    def next_turn(self) -> str:
        """The words with which the next turn begins where no token ends an answer; "" for most templates."""
        return plain.next_turn(str(self.tokenizer.chat_template))

    def over(self, ids: Sequence[int]) -> bool:
        """Whether an answer has gone on into the next turn."""
        return bool(self.next_turn) and self.next_turn in self.written(ids[-LOOKED_BACK:])

    def decode(self, ids: Sequence[int]) -> str:
        """The text of an answer's ids, without control tokens and without the next turn."""
        text = self.written(ids)
        return text.partition(self.next_turn)[0] if self.next_turn else text

    def written(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def generation_ends(folder: Path) -> list[int]:
    try:
        ends = json.loads((folder / "generation_config.json").read_text("utf-8")).get("eos_token_id")
    except (OSError, ValueError):
        return []
    return ends if isinstance(ends, list) else [ends]


# --- precision


def choose_precision(folder: Path, wanted: str, device: str) -> tuple[str, str]:
    """nf4, bf16 or fp32 for a model on a device, and why. What a person asked for wins; "auto" decides by the machine.

    On the CPU the fastest form that leaves room is taken, by a trial of a few milliseconds: processors without bf16
    instructions are many times slower in it than in fp32. Imports torch.
    """
    if wanted != "auto":
        return wanted, f"{wanted} was asked for"
    if device == "cuda":
        return "nf4", "4 bits leave the accelerator's memory to longer conversations"
    if device == "mps":
        return "bf16", "4 bits do not run on this GPU"
    weights, room = folders.weights(folder), ROOM_FOR_WEIGHTS * devices.available_memory(device)
    fitting = [form for form in ("bf16", "fp32") if weights.memory(form) <= room]
    if not fitting:
        needed = weights.memory("bf16") / 2**30
        return "nf4", f"in bf16 the weights would take {needed:.1f} GB of the {room / 2**30:.1f} GB to give"
    times = trial(folders.width(folder), [*fitting, "nf4"])
    best = min(times, key=lambda form: times[form])
    if times[best] > CLEARLY * times["bf16"]:
        best = "bf16"
    told = ", ".join(f"{form} {seconds * 1e3:.2f} ms" for form, seconds in times.items())
    return best, f"measured on one layer of this model: {told}"


# --- weights


def load(
    folder: Path, precision: str, device: str, progress: Callable[[int, int], None] | None = None
) -> Any:
    """The model, frozen and ready to answer, in nf4, bf16 or fp32. Imports torch. `progress` counts its tensors.

    NF4 (4 bits, doubly quantised) goes through the same code on CPU and CUDA; what is not a matrix stays in 16 bits.
    Raises ModelNotReady for a folder that cannot be used, DoesNotFit before loading what memory cannot hold.
    """
    import torch
    from transformers import AutoModelForCausalLM

    folders.check(folder)
    require_memory(folder, precision, device)
    dtype = {"fp32": "float32", "bf16": "bfloat16"}.get(precision) or devices.working_dtype(device)
    settings: dict[str, Any] = {"dtype": getattr(torch, dtype)}
    if precision == "nf4":
        settings["quantization_config"] = nf4(settings["dtype"])
    try:
        with loading.told(progress):
            model = AutoModelForCausalLM.from_pretrained(
                folder,
                device_map={"": device},
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                **settings,
            )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        if memory.ran_out(error):
            raise too_large(folder, precision, device) from error
        raise ModelNotReady(
            f"The model in {folder} cannot be loaded ({first_line(error)}). Choose another base model."
        ) from error
    pack_for_answers(model, False)
    return model.requires_grad_(False).eval()


def nf4(computed_in: Any) -> Any:
    from transformers import BitsAndBytesConfig

    quiet_bitsandbytes()
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=computed_in,
    )


def pack_for_answers(model: Any, wanted: bool) -> None:
    """Say whether bitsandbytes may lay 4-bit weights out anew on the CPU when the model first answers.

    With one or two rows the new layout is four times faster, but it cannot be trained: what makes the weights whole
    again expects the first one. So `load` forbids it, and only who answers and never trains allows it.
    """
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            rows, columns = layer.out_features, layer.in_features
            able = able_to_pack() and rows % 32 == 0 and columns % 64 == 0
            layer.support_avx512bf16_for_cpu = wanted and able


def able_to_pack() -> bool:
    from bitsandbytes.functional import has_avx512bf16

    return bool(has_avx512bf16())


def first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def require_memory(folder: Path, precision: str, device: str) -> None:
    if folders.weights(folder).memory(precision) > devices.available_memory(device):
        raise too_large(folder, precision, device)


def too_large(folder: Path, precision: str, device: str) -> DoesNotFit:
    needed, free = folders.weights(folder).memory(precision), devices.available_memory(device)
    smaller = "a smaller base model" if precision == "nf4" else "nf4 or a smaller base model"
    return DoesNotFit(
        f"The model {folder.name} needs {needed / 2**30:.1f} GB in {precision} and {free / 2**30:.1f} GB of memory are free. "
        f"Close other programs, or choose {smaller}."
    )
