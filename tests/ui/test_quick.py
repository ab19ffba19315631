"""The quick import leaves nothing behind but the modules."""

import gc
import inspect
import subprocess
import sys

import pytest

from studio.ui import quick

CODE = """
import gc, inspect
from studio.ui import quick
before = inspect.getfile
with quick.imports():
    from studio.ui import server
    import gradio as gr
print(inspect.getfile is before, gc.isenabled(), gc.get_freeze_count() > 100_000)
print(inspect.getfile(gr.Textbox).endswith("textbox.py"))
"""


def test_the_page_is_imported_quickly_and_all_is_as_before():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120)

    assert done.stdout.split() == ["True"] * 4, done.stderr


def test_an_import_that_fails_leaves_all_as_before():
    before = inspect.getfile
    with pytest.raises(ImportError), quick.imports():
        raise ImportError("broken")

    assert inspect.getfile is before
    assert gc.isenabled()
