"""One local studio: write example conversations, fine-tune a model on them, and see honestly what changed.

The layers, each of which may use only what stands to its right:

    ui  >  work  >  store | engine  >  core
"""

__version__ = "0.1.0"
