"""A small package with a real model in GGUF, as the package index would give it."""

import hashlib
import io
import json
import zipfile

import gguf

from studio.engine import starter
from studio.engine.package import Wheel
from studio.engine.rehearsal import CHATML, model

NAME, VERSION = "tiny_starter", "0.1.0"
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
}


def build(folder, rehearsal_path):
    """Write the wheel into `folder`; returns the Source that asks for it."""
    member, licence = f"{NAME}/tiny.gguf", f"{NAME}-{VERSION}.dist-info/LICENSE"
    path = folder / f"{NAME}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, as_gguf(folder / "tiny.gguf", rehearsal_path))
        archive.writestr(licence, "Apache License, Version 2.0")
        archive.writestr(f"{NAME}-{VERSION}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\nRequires-Dist: not-wanted\n")  # fmt: skip
        archive.writestr(f"{NAME}-{VERSION}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{NAME}-{VERSION}.dist-info/RECORD", "")
    data = path.read_bytes()
    wheel = Wheel(f"{NAME}=={VERSION}", hashlib.sha256(data).hexdigest(), len(data))
    return starter.Source(wheel, member, licence, room=10_000_000)


def as_gguf(path, rehearsal_path):
    """The rehearsal model in GGUF, its query and key rows interleaved as that format has them."""
    made = model(0)
    config = made.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    add_tokenizer(writer, rehearsal_path)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, weight in made.state_dict().items():
        if name != "lm_head.weight":
            writer.add_tensor(gguf_name(name), interleaved(name, weight, heads).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def add_tokenizer(writer, rehearsal_path):
    tokenizer = json.loads((rehearsal_path / "tokenizer.json").read_text())
    ordered = sorted(tokenizer["model"]["vocab"].items(), key=lambda pair: pair[1])
    special = {each["id"] for each in tokenizer["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([token for token, _ in ordered])
    writer.add_token_types([3 if id in special else 1 for _, id in ordered])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(CHATML)


def gguf_name(name):
    for theirs, ours in NAMES.items():
        name = name.replace(theirs, ours)
    return name.replace("model.layers", "blk")


def interleaved(name, weight, heads):
    count = next((count for part, count in heads.items() if part in name), None)
    if count is None:
        return weight.float().contiguous()
    rows, columns = weight.shape
    return (
        weight.reshape(count, 2, rows // count // 2, columns)
        .swapaxes(1, 2)
        .reshape(rows, columns)
        .contiguous()
    )


def damaged(wheel):
    """The wheel with one byte changed inside its model: still a wheel that pip accepts."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data[:-1] + bytes([data[-1] ^ 1]) if name.endswith(".gguf") else data)
    return made.getvalue()
