"""The plan of the house, enforced: who may import whom, where each heavy library lives, and how long things may get."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "studio"
BELOW = {
    "core": set(),
    "store": {"core"},
    "engine": {"core"},
    "work": {"core", "store", "engine"},
    "ui": {"core", "work"},
}
# The command line stands above the layers: it may import any of them, but no heavy library either.
ABOVE = {"cli", "__main__"}
LIBRARIES = {
    "core": "scipy",  # for quantiles and roots of a function only
    "store": "sqlalchemy alembic sqlite3 pandas",
    "engine": "torch transformers peft bitsandbytes accelerate sklearn scipy sacrebleu gguf safetensors tokenizers huggingface_hub httpx tensorboardX trackio",
    "ui": "gradio fastapi starlette uvicorn pandas",
}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
LONGEST = {"file": 300, "function": 40, "build": 90}


def sources(package):
    """Each file of the package as (its dotted module name, its path, its syntax tree)."""
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path, ast.parse(path.read_text("utf-8"))


def imports(name, path, tree):
    """Every dotted name that a module imports, inside functions and for type checking, too."""
    folder = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else []
            start = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


def layer_of(name):
    return name.split(".")[1] if "." in name else ""


def imports_upwards(package):
    """Imports of ours that do not look down."""
    for name, path, tree in sources(package):
        here = layer_of(name)
        for wanted in imports(name, path, tree):
            there = layer_of(wanted) if wanted.split(".")[0] == package.name else ""
            if here not in ABOVE and there in {*BELOW, *ABOVE} - {here} - BELOW.get(here, set()):
                yield f"{name} imports {wanted}"


def libraries_outside(package):
    """Heavy libraries outside the layer that they live in."""
    for name, path, tree in sources(package):
        for wanted in imports(name, path, tree):
            library = wanted.split(".")[0]
            homes = {layer for layer, libraries in LIBRARIES.items() if library in libraries.split()}
            if homes and layer_of(name) not in homes:
                yield f"{name} imports {library}"


def environment_outside(package):
    """Reads and writes of the process environment outside the one place for them."""
    for name, path, tree in sources(package):
        if name == f"{package.name}.store.environment":
            continue
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os"
        }
        imported = {
            wanted.removeprefix("os.") for wanted in imports(name, path, tree) if wanted.startswith("os.")
        }
        yield from (f"{name} uses os.{found}" for found in ENVIRONMENT & (used | imported))


def cycles(package):
    """Modules that import themselves by way of others."""
    modules = {name: (path, tree) for name, path, tree in sources(package)}
    graph = defaultdict(set)
    for name, (path, tree) in modules.items():
        for wanted in imports(name, path, tree):
            target = wanted if wanted in modules else wanted.rpartition(".")[0]
            if target in modules and target != name:
                graph[name].add(target)
    for name in modules:
        reached, waiting = set(), list(graph[name])
        while waiting:
            if (module := waiting.pop()) not in reached:
                reached.add(module)
                waiting += graph[module]
        if name in reached:
            yield name


def too_long(package):
    """Files and functions that nobody can hold in mind."""
    for name, path, tree in sources(package):
        if (lines := path.read_text("utf-8").count("\n")) > LONGEST["file"]:
            yield f"{name} has {lines} lines"
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                of_a_tab = node.name == "build" and layer_of(name) == "ui"
                if lines > LONGEST["build" if of_a_tab else "function"]:
                    yield f"{name}.{node.name} has {lines} lines"


RULES = [imports_upwards, libraries_outside, environment_outside, cycles, too_long]


@pytest.mark.parametrize("rule", RULES)
def test_the_studio_keeps_the_rule(rule):
    found = list(rule(PACKAGE))

    assert not found, "\n".join(["", *found])


def test_every_module_belongs_to_a_layer_or_stands_above_them():
    assert {layer_of(name) for name, _, _ in sources(PACKAGE)} - ABOVE == {*BELOW, ""}


LONG_FUNCTION = "def walk():\n" + "    pass\n" * 40
BREACHES = [
    (imports_upwards, {"core/a.py": "from studio.store import home"}),
    (imports_upwards, {"store/a.py": "def read():\n    import studio.engine.api"}),
    (imports_upwards, {"engine/a.py": "from studio import ui"}),
    (imports_upwards, {"ui/a.py": "from ..store.home import Home"}),
    (imports_upwards, {"work/a.py": "import studio.cli"}),
    (libraries_outside, {"work/a.py": "def load():\n    import torch.nn"}),
    (libraries_outside, {"ui/a.py": "from sqlalchemy import select"}),
    (libraries_outside, {"cli/a.py": "import gradio as gr"}),
    (libraries_outside, {"core/a.py": "import pandas"}),
    (environment_outside, {"work/a.py": "import os\nhome = os.environ['HOME']"}),
    (environment_outside, {"store/home.py": "from os import getenv"}),
    (cycles, {"core/a.py": "from studio.core import b", "core/b.py": "def later():\n    from .a import x"}),
    (
        cycles,
        {
            "core/a.py": "import studio.core.b",
            "core/b.py": "from .c import x",
            "core/c.py": "from .a import x",
        },
    ),
    (too_long, {"core/a.py": "\n" * 301}),
    (too_long, {"core/a.py": LONG_FUNCTION}),
    (too_long, {"work/a.py": LONG_FUNCTION.replace("walk", "build")}),
    (too_long, {"ui/a.py": LONG_FUNCTION.replace("walk", "build") + "    pass\n" * 50}),
]


@pytest.mark.parametrize(("rule", "breach"), BREACHES)
def test_a_planted_breach_is_found(rule, breach, tmp_path):
    package = plant(tmp_path, breach)

    assert list(rule(package))
    assert [other.__name__ for other in RULES if other is not rule and list(other(package))] == []


def test_what_the_rules_allow_is_not_reported(tmp_path):
    package = plant(
        tmp_path,
        {
            "core/a.py": "import numpy\n" + "\n" * 299,
            "store/environment.py": "import os\nhome = os.environ.get('HOME')",
            "work/a.py": "from studio.store import home\nfrom studio.core.a import x",
            "ui/a.py": "import pandas\n" + LONG_FUNCTION.replace("walk", "build"),
            "cli/a.py": "from studio.ui.a import build\nfrom studio.store import home",
        },
    )

    assert [found for rule in RULES for found in rule(package)] == []


def plant(folder, files):
    for name, text in files.items():
        path = folder / "studio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "studio"
