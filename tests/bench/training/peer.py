"""One peer over the same conversations, run by its own environment's Python: peer.py KIND WORK PRECISION-OF-START.

WORK holds job.json, messages.jsonl and encoded.jsonl in the order of training, template.jinja, and the first adapter.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from datasets import Dataset, DatasetDict
from marks import Marks, counted
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainerCallback, TrainingArguments

KIND, WORK, INITIAL = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
JOB = json.loads((WORK / "job.json").read_text("utf-8"))
ENCODED = [json.loads(line) for line in (WORK / "encoded.jsonl").open(encoding="utf-8")]
MARKS = Marks()


class Listener(TrainerCallback):
    def on_step_end(self, *_: Any, **__: Any) -> None:
        MARKS.updated()

    def on_log(self, *_: Any, logs: dict[str, float] | None = None, **__: Any) -> None:
        if "loss" in (logs or {}):
            MARKS.losses.append(float(logs["loss"]))


def settings(**more: Any) -> dict[str, Any]:
    common = {
        "output_dir": str(WORK / "out"),
        "per_device_train_batch_size": JOB["batch"],
        "num_train_epochs": 1,
        "learning_rate": JOB["learning_rate"],
        "lr_scheduler_type": "constant",
        "weight_decay": 0.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "seed": JOB["seed"],
        "train_sampling_strategy": "sequential",
        "disable_tqdm": True,
    }
    return {**common, **more}


def adapter() -> LoraConfig:
    return LoraConfig(
        r=JOB["rank"],
        lora_alpha=JOB["alpha"],
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def start_alike(model: Any) -> Any:
    set_peft_model_state_dict(model, load_file(INITIAL / "adapter_model.safetensors"))
    return model


def trl() -> None:
    """TRL as it comes, taught answers only; "packed" and "grouped", which the work's order is, are the best settings found."""
    from trl import SFTConfig, SFTTrainer

    more: dict[str, Any] = {}
    talks = [json.loads(line) for line in (WORK / "messages.jsonl").open("rb")]
    if KIND != "trl":
        more = {"gradient_checkpointing": False, "model_init_kwargs": {"dtype": "bfloat16"}}
    if KIND == "trl-packed":
        rows = -(-sum(len(each["input_ids"]) for each in ENCODED) // 1024)
        more |= {"packing": True, "per_device_train_batch_size": -(-rows // JOB["updates"])}
    trainer = SFTTrainer(
        JOB["model"],
        args=SFTConfig(
            **settings(**more), assistant_only_loss=True, chat_template_path=str(WORK / "template.jinja")
        ),
        train_dataset=Dataset.from_list(talks),
        processing_class=AutoTokenizer.from_pretrained(JOB["model"]),
        peft_config=adapter(),
        callbacks=[Listener()],
    )
    start_alike(trainer.model)
    trainer.train()
    rows = list(trainer.train_dataset)
    tell(rows, trainer.args.per_device_train_batch_size)


def transformers() -> None:
    """Trainer over bf16 weights without checkpointing, on the very ids and labels of the studio."""
    base = AutoModelForCausalLM.from_pretrained(JOB["model"], dtype=torch.bfloat16)
    trainer = Trainer(
        start_alike(get_peft_model(base, adapter())),
        TrainingArguments(bf16=True, **settings()),
        train_dataset=Dataset.from_list(ENCODED),
        data_collator=padded,
        callbacks=[Listener()],
    )
    trainer.train()
    tell(ENCODED, JOB["batch"])


def padded(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    longest = max(len(each["input_ids"]) for each in rows)

    def filled(name: str, fill: int) -> torch.Tensor:
        return torch.tensor([[*each[name], *[fill] * (longest - len(each[name]))] for each in rows])

    mask = [[1] * len(each["input_ids"]) + [0] * (longest - len(each["input_ids"])) for each in rows]
    return {"input_ids": filled("input_ids", 0), "labels": filled("labels", -100), "attention_mask": torch.tensor(mask)}  # fmt: skip


def four_bit() -> None:
    """The plain loop that PEFT and bitsandbytes describe, over NF4 weights."""
    from transformers import BitsAndBytesConfig

    quantised = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    base = AutoModelForCausalLM.from_pretrained(
        JOB["model"], dtype=torch.bfloat16, quantization_config=quantised, device_map={"": "cpu"}
    )
    model = start_alike(get_peft_model(base.requires_grad_(False), adapter())).train()
    weights = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=JOB["learning_rate"], weight_decay=0.0, fused=True)
    for start in range(0, len(ENCODED), JOB["batch"]):
        loss = model(**padded(ENCODED[start : start + JOB["batch"]]), use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        MARKS.losses.append(loss.item())
        MARKS.updated()
    tell(ENCODED, JOB["batch"])


def llamafactory() -> None:
    """LLaMA-Factory through what its command line calls, on the same ids and labels by its `tokenized_path`."""
    # It imports torchaudio for recordings, which has no build for this torch; text needs only the name.
    sys.modules["torchaudio"] = ModuleType("torchaudio")
    sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)
    from llamafactory.train.tuner import run_exp

    place = WORK / "tokenized"
    masked = [{**each, "attention_mask": [1] * len(each["input_ids"])} for each in ENCODED]
    DatasetDict({"train": Dataset.from_list(masked)}).save_to_disk(str(place))
    common = settings()
    for name in ("train_sampling_strategy", "seed", "use_cpu"):
        common.pop(name)
    run_exp(
        {
            **common,
            "model_name_or_path": JOB["model"],
            "adapter_name_or_path": str(INITIAL),
            "stage": "sft",
            "do_train": True,
            "finetuning_type": "lora",
            "template": "smollm2",
            "dataset": "taken from tokenized_path",
            "tokenized_path": str(place),
            "bf16": True,
            "use_cpu": True,
            "disable_shuffling": True,
            "overwrite_output_dir": True,
        },
        [Listener()],
    )
    tell(ENCODED, JOB["batch"])


def tell(rows: list[dict[str, Any]], batch: int) -> None:
    tokens, learned = counted(rows, batch)
    MARKS.tell(tokens, learned, threads=torch.get_num_threads())


RUN = {
    "trl": trl,
    "trl-packed": trl,
    "trl-grouped": trl,
    "transformers": transformers,
    "four-bit": four_bit,
    "llamafactory": llamafactory,
}
if __name__ == "__main__":
    RUN[KIND]()
