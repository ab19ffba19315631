"""Finding, refusing and loading base models."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import psutil
import pytest
import torch
from bitsandbytes.nn import Linear4bit

from studio.core.encode import encode, prompt
from studio.core.errors import BadInput, DoesNotFit, ModelNotReady, NotFound
from studio.core.records import Message
from studio.engine import folders, hub, models, resolve, trial
from studio.engine.local import LocalEngine

TALK = (Message("user", "Hello"), Message("assistant", "Good day"))


def silent(done, total):
    pass


@pytest.fixture
def folder(rehearsal_path, tmp_path):
    """A model folder that a test may spoil."""
    shutil.copytree(rehearsal_path, tmp_path / "mine")
    return tmp_path / "mine"


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


# --- finding


def test_a_local_folder_is_a_base_with_its_parameters_counted(folder, tmp_path):
    base = LocalEngine(tmp_path).base(str(folder))

    assert (base.id, base.title, base.path) == (str(folder), "mine", folder)
    assert base.parameters == 361_088


def test_a_name_that_means_nothing_is_refused_with_the_names_there_are(tmp_path):
    with pytest.raises(NotFound, match=r"no base model named .nonsense.*starter.*owner/name"):
        resolve.resolve("nonsense", tmp_path)


def test_a_folder_that_is_no_longer_there_is_said_to_be_gone_and_not_called_a_wrong_name(tmp_path):
    with pytest.raises(
        ModelNotReady, match=r"mine is not there: it was moved.*Put it back, or choose another"
    ):
        resolve.resolve(str(tmp_path / "mine"), tmp_path)


def test_a_hub_id_is_a_base_that_is_not_here_yet(tmp_path):
    base = resolve.resolve("someone/some-model", tmp_path)

    assert (base.id, base.title, base.path, base.parameters) == (
        "someone/some-model",
        "some-model",
        None,
        None,
    )
    with pytest.raises(ModelNotReady, match="not on this machine yet"):
        LocalEngine(tmp_path).limit("someone/some-model")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelNotReady, match=r"holds no model: it has no config\.json"):
        resolve.resolve(str(tmp_path), tmp_path)


def test_a_folder_with_pickled_weights_only_is_refused(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(ModelNotReady, match="pickle files, which can run code"):
        folders.check(folder)


def test_a_folder_without_any_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()

    with pytest.raises(ModelNotReady, match="no weights in safetensors"):
        folders.check(folder)


def test_a_model_that_brings_its_own_code_is_refused(folder):
    edit(folder / "config.json", auto_map={"AutoModelForCausalLM": "modeling.Mine"})

    with pytest.raises(ModelNotReady, match="runs no code that comes with a model"):
        folders.check(folder)


def test_a_folder_without_a_tokenizer_is_refused(folder):
    (folder / "tokenizer.json").unlink()

    with pytest.raises(ModelNotReady, match="no tokenizer beside the weights"):
        folders.check(folder)


@pytest.mark.parametrize("text", ["{", "[]", "\udcff"])
def test_an_unreadable_configuration_is_refused(folder, text):
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ModelNotReady, match="Fetch the model again"):
        folders.config(folder)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_cut_weights_are_noticed_before_loading(folder, keep):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])

    with pytest.raises(ModelNotReady, match=r"damaged|not whole"):
        models.load(folder, "fp32", "cpu")


def test_the_limit_is_the_models_own(folder, tmp_path):
    assert folders.limit(folder) == 2048
    edit(folder / "config.json", text_config={"max_position_embeddings": 4096})
    assert folders.limit(folder) == 4096
    (folder / "config.json").write_text("{}")
    assert folders.limit(folder) == folders.LIMIT_UNKNOWN


def test_the_identity_changes_with_the_weights(folder):
    before = folders.identity(folder)
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)

    assert folders.identity(folder) != before


# --- tokenizer and template


def test_the_revision_is_that_of_the_bytes_and_not_of_their_times(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copied", copy_function=shutil.copyfile)
    found = folders.revision(folder)
    assert folders.revision(tmp_path / "copied") == found
    assert folders.identity(tmp_path / "copied") != folders.identity(folder)

    (folder / "README.md").write_text("words")
    assert folders.revision(folder) == found
    for name in ("model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"):
        content = bytearray((folder / name).read_bytes())
        content[-3] ^= 1
        (folder / name).write_bytes(content)
        found, before = folders.revision(folder), found
        assert found != before


def test_weights_that_may_not_be_read_are_not_called_damaged(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()  # as little to be read as what is somebody else's

    with pytest.raises(ModelNotReady, match=r"cannot be read.*Check who owns it"):
        folders.weights(folder)


def test_a_model_without_a_chat_template_is_refused(folder):
    edit(folder / "tokenizer_config.json", chat_template=None)

    with pytest.raises(ModelNotReady, match="no chat template"):
        models.load_tokenizer(folder)


def test_a_tokenizer_that_cannot_be_read_is_refused(folder):
    (folder / "tokenizer.json").write_text("{}")

    with pytest.raises(ModelNotReady, match="cannot be read"):
        models.load_tokenizer(folder)


def test_the_ends_of_the_generation_settings_count_as_well(folder):
    edit(folder / "generation_config.json", eos_token_id=[2, 0])

    assert models.ChatTemplate(models.load_tokenizer(folder)).end_ids == {0, 2}


def test_a_template_that_refuses_a_conversation_is_quoted_in_the_sentence(folder):
    refusing = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}x"
    )
    edit(folder / "tokenizer_config.json", chat_template=refusing)
    template = models.ChatTemplate(models.load_tokenizer(folder))

    with pytest.raises(BadInput, match="System role not supported"):
        prompt((Message("system", "Be kind."), Message("user", "Hi")), template)


@pytest.mark.parametrize(
    "mistaken",
    ["{% for m in", "{{ nothing(messages) }}", "{{ messages[0].content + 3 }}", "{{ messages[9].role }}"],
)
def test_a_template_with_a_mistake_in_it_is_said_to_have_one(folder, mistaken):
    edit(folder / "tokenizer_config.json", chat_template=mistaken)
    template = models.ChatTemplate(models.load_tokenizer(folder))

    with pytest.raises(ModelNotReady, match=r"has a mistake in it \(.+\)\. Choose another base model"):
        encode(TALK, template)


def test_a_conversation_that_begins_with_an_answer_is_refused(rehearsal_path):
    template = models.ChatTemplate(models.load_tokenizer(rehearsal_path))

    with pytest.raises(BadInput, match="has to start with a question"):
        encode((Message("assistant", "Good day"),), template)


def test_sizes_and_x_ray_come_from_the_tokenizer_alone(tmp_path):
    engine = LocalEngine(tmp_path)
    engine.fetch("rehearsal", silent)

    size = engine.sizes("rehearsal", [TALK])[0]
    tokens = engine.xray("rehearsal", TALK, size.tokens - 1)

    assert len(tokens) == size.tokens
    assert sum(token.learned for token in tokens) == size.learned
    assert [token.cut for token in tokens].count(True) == 1


# --- precision and loading


@pytest.mark.parametrize("precision", ["nf4", "bf16", "fp32"])
def test_each_precision_loads_frozen_and_answers_alike(rehearsal_path, precision):
    model = models.load(rehearsal_path, precision, "cpu")
    exact = models.load(rehearsal_path, "fp32", "cpu")
    ids = torch.tensor([[1, 300, 301, 302]])
    with torch.inference_mode():
        scores, expected = model(ids).logits.float(), exact(ids).logits
    kinds = {type(layer) for name, layer in model.named_modules() if name.endswith("q_proj")}

    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())
    assert kinds == ({Linear4bit} if precision == "nf4" else {torch.nn.Linear})
    assert torch.corrcoef(torch.stack([scores.flatten(), expected.flatten()]))[0, 1] > 0.95


def test_four_bits_are_nf4_doubly_quantised_and_smaller(rehearsal_path):
    small, whole = (models.load(rehearsal_path, each, "cpu") for each in ("nf4", "bf16"))
    state = small.model.layers[0].self_attn.q_proj.weight.quant_state

    assert (state.quant_type, state.nested) == ("nf4", True)
    assert small.get_memory_footprint() < 0.6 * whole.get_memory_footprint()


def test_answering_leaves_four_bit_weights_as_training_expects_them(rehearsal_path):
    from bitsandbytes.functional import dequantize_4bit

    model = models.load(rehearsal_path, "nf4", "cpu")
    weight = model.model.layers[0].mlp.up_proj.weight
    before = dequantize_4bit(weight.data, weight.quant_state)
    with torch.inference_mode():
        model(torch.tensor([[1, 300]]))

    assert torch.equal(dequantize_4bit(weight.data, weight.quant_state), before)


def test_what_was_asked_for_is_taken(rehearsal_path):
    assert models.choose_precision(rehearsal_path, "fp32", "cpu") == ("fp32", "fp32 was asked for")


def test_on_the_cpu_a_measurement_decides_and_is_told(rehearsal_path):
    precision, why = models.choose_precision(rehearsal_path, "auto", "cpu")

    assert precision in ("bf16", "fp32", "nf4")
    assert why.count(" ms") == 3


def test_a_processor_that_is_slow_in_bf16_takes_fp32(rehearsal_path, monkeypatch):
    monkeypatch.setattr(models, "trial", lambda size, forms: {"bf16": 0.010, "fp32": 0.002, "nf4": 0.011})

    assert models.choose_precision(rehearsal_path, "auto", "cpu")[0] == "fp32"


def test_a_difference_within_the_noise_does_not_change_the_choice(rehearsal_path, monkeypatch):
    monkeypatch.setattr(models, "trial", lambda size, forms: {"bf16": 0.010, "fp32": 0.020, "nf4": 0.009})

    assert models.choose_precision(rehearsal_path, "auto", "cpu")[0] == "bf16"


def test_a_model_that_would_fill_the_memory_goes_into_four_bits(folder):
    pretend_parameters(folder, psutil.virtual_memory().available // 2)

    precision, why = models.choose_precision(folder, "auto", "cpu")

    assert precision == "nf4"
    assert "would take" in why


def test_on_cuda_four_bits_are_the_default(rehearsal_path):
    assert models.choose_precision(rehearsal_path, "auto", "cuda")[0] == "nf4"


def test_loading_tells_how_far_it_is_and_leaves_the_library_as_it_was(rehearsal_path):
    told = []
    models.load(rehearsal_path, "fp32", "cpu", lambda done, total: told.append((done, total)))
    count = told[-1][1]
    assert told == [(done, count) for done in range(1, count + 1)]
    assert count > 10

    models.load(rehearsal_path, "fp32", "cpu")
    assert len(told) == count


def test_what_memory_cannot_hold_is_refused_with_numbers_before_loading(folder):
    pretend_parameters(folder, psutil.virtual_memory().total)

    with pytest.raises(
        DoesNotFit, match=r"needs [\d.]+ GB in bf16 and [\d.]+ GB of memory are free.*nf4 or a smaller"
    ):
        models.load(folder, "bf16", "cpu")


def pretend_parameters(folder, count):
    """Weights whose header tells of `count` parameters, in a file as long as it says, with holes."""
    width = 1 << 16
    shape = [count // width, width]
    tensors = {
        "layers.0.weight": {"dtype": "BF16", "shape": shape, "data_offsets": [0, 2 * shape[0] * width]}
    }
    header = json.dumps(tensors).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 2 * shape[0] * width)


def test_an_architecture_that_transformers_does_not_know_is_refused(folder):
    edit(folder / "config.json", model_type="nonsense")

    with pytest.raises(ModelNotReady, match=r"cannot be loaded \(.*nonsense"):
        models.load(folder, "bf16", "cpu")


def test_the_trial_measures_every_form_asked_for():
    times = trial.trial(256, ["bf16", "fp32", "nf4"])

    assert set(times) == {"bf16", "fp32", "nf4"}
    assert all(seconds > 0 for seconds in times.values())


# --- the hub, as a small server that speaks its language


class Hub(BaseHTTPRequestHandler):
    """Serves one model folder as someone/model; closed/model wants terms accepted; all others do not exist."""

    REVISION = "0123456789abcdef0123456789abcdef01234567"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.partition("?")[0].strip("/").split("/")
        if "closed" in path:
            return self.reply(403, b"{}", {"X-Error-Code": "GatedRepo"})
        if path[:4] == ["api", "models", "someone", "model"]:
            return self.about(path[4:])
        file = self.server.folder / path[-1]
        if path[:3] == ["someone", "model", "resolve"] and file.is_file():
            self.server.asked.append(file.name)
            data = file.read_bytes()
            return self.reply(200, data, {"ETag": f'"{len(data)}"', "X-Repo-Commit": self.REVISION})
        return self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def about(self, rest):
        files = [(path.name, path.stat().st_size) for path in sorted(self.server.folder.iterdir())]
        if rest[:1] == ["tree"]:
            found = [{"type": "file", "path": name, "size": size, "oid": "0"} for name, size in files]
        else:
            siblings = [{"rfilename": name, "size": size, "blobId": "0"} for name, size in files]
            found = {"id": "someone/model", "sha": self.REVISION, "siblings": siblings}
        return self.reply(200, json.dumps(found).encode(), {"Content-Type": "application/json"})

    def reply(self, status, data, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(folder) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.folder, server.asked = folder, []
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def address(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_a_hub_model_is_fetched_once_and_only_what_is_wanted(server, folder, tmp_path):
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "modeling.py").write_text("print()")
    told = []

    fetched = hub.fetch("someone/model", tmp_path, lambda *at: told.append(at), address(server))
    asked = set(server.asked)
    again = hub.fetch("someone/model", tmp_path, silent, address(server))

    assert fetched == again == resolve.ready("someone/model", tmp_path)
    assert asked == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert (fetched / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] == sum((folder / name).stat().st_size for name in asked)
    assert json.loads((fetched / "source.json").read_text())["revision"] == Hub.REVISION


def test_a_hub_model_that_was_damaged_since_is_not_here_and_is_fetched_again(server, folder, tmp_path):
    fetched = hub.fetch("someone/model", tmp_path, silent, address(server))
    (fetched / "model.safetensors").write_bytes(b"short")
    assert resolve.resolve("someone/model", tmp_path).path is None

    assert hub.fetch("someone/model", tmp_path, silent, address(server)) == fetched
    assert (fetched / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_a_hub_model_that_brings_its_own_code_is_refused_and_does_not_stay(server, folder, tmp_path):
    edit(folder / "config.json", auto_map={"AutoModel": "modeling.Mine"})

    with pytest.raises(ModelNotReady, match="runs no code that comes with a model"):
        hub.fetch("someone/model", tmp_path, silent, address(server))
    assert hub.fetched("someone/model", tmp_path) is None
    assert [path.name for path in (tmp_path / "hub").iterdir() if path.is_dir()] == []


def test_a_hub_model_with_pickles_only_is_refused_before_anything_is_fetched(server, folder, tmp_path):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(ModelNotReady, match="no weights in safetensors on the hub"):
        hub.fetch("someone/model", tmp_path, silent, address(server))
    assert server.asked == []


@pytest.mark.parametrize(
    ("id", "sentence"),
    [("nobody/model", "There is no model nobody/model"), ("closed/model", "accepted its terms")],
)
def test_what_the_hub_will_not_give_is_one_sentence(server, tmp_path, id, sentence):
    with pytest.raises(ModelNotReady, match=sentence):
        hub.fetch(id, tmp_path, silent, address(server))


def test_without_network_one_sentence_names_the_ways_out(tmp_path):
    with pytest.raises(ModelNotReady, match=r"could not be reached.*Check the network.*starter.*folder"):
        hub.fetch("someone/model", tmp_path, silent, "http://127.0.0.1:9")


TWO_IMPORTS = """
import sys, threading, time
from pathlib import Path
from studio.engine.models import load_tokenizer
threading.Thread(target=lambda: __import__("transformers")).start()
while "transformers" not in sys.modules:
    time.sleep(0.001)
print(load_tokenizer(Path(sys.argv[1])).eos_token)
"""


def test_a_tokenizer_can_be_read_while_another_thread_imports_the_library(rehearsal_path):
    done = subprocess.run(
        [sys.executable, "-c", TWO_IMPORTS, str(rehearsal_path)], capture_output=True, text=True
    )

    assert done.stdout.strip() == "<|im_end|>", done.stderr
