"""How a model is trained: every setting with its range and its words stated once, the presets, and the step planner."""

from __future__ import annotations

import math
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from studio.core.errors import BadRecipe

QUANTIZATIONS = ("auto", "nf4", "bf16", "fp32")
HELD_OUT_SHARE = 0.12


def setting(default: Any, low: float | None, high: float | None, label: str, help: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "label": label, "help": help})


@dataclass(frozen=True)
class Recipe:
    """All settings of a run. Raises BadRecipe, naming the setting, where one lies outside its range."""

    learning_rate: float = setting(
        2e-4,
        1e-6,
        1e-2,
        "Learning rate",
        "How far each update moves. Too high and the model forgets how to speak.",
    )
    passes: int = setting(
        3, 1, 50, "Passes", "How often each conversation is seen. More passes learn more, then parrot."
    )
    updates: int = setting(0, 0, 100_000, "Updates", "Stops after this many updates; 0 follows the passes.")
    batch: int = setting(
        8, 1, 256, "Conversations an update", "Fewer give more updates from the same set, each one noisier."
    )
    general: float = setting(
        1.0,
        0.0,
        4.0,
        "General examples",
        "General conversations mixed in for each of yours. 1 keeps general ability.",
    )
    rank: int = setting(16, 1, 256, "Adapter size (rank)", "Larger adapters hold more and need more memory.")
    alpha: int = setting(32, 1, 512, "Adapter strength (alpha)", "Usually twice the rank.")
    warm_up: float = setting(
        0.1, 0.0, 0.5, "Warm-up share", "The first updates start small, over this share of the run."
    )
    clip: float = setting(1.0, 0.1, 100.0, "Gradient limit", "Longer gradients are shortened to this.")
    max_length: int = setting(
        2048, 64, 131_072, "Longest conversation (tokens)", "Longer ones are left out, and said; none is cut."
    )
    evaluations: int = setting(
        6, 1, 100, "Evaluations", "How often the held-out loss is measured on the way."
    )
    points: int = setting(
        3,
        0,
        100,
        "Points kept",
        "Kept beside the best, to compare with it: at even steps of the run, and the last.",
    )
    patience: int = setting(
        2, 0, 100, "Patience", "Ends after so many evaluations without a new best; 0 never does."
    )
    forget: float = setting(
        0.1,
        0.0,
        10.0,
        "Forgetting limit",
        "Ends once the loss on general text has risen by this share; 0 never does.",
    )
    seed: int = setting(0, 0, 2**31 - 1, "Seed", "The same seed, data and machine give the same run.")
    quantization: str = setting(
        "auto", None, None, "Base precision", "nf4 keeps the base in 4 bits; auto chooses for this machine."
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            check(each, getattr(self, each.name))


def kept(settings: dict[str, Any]) -> Recipe:
    """The recipe that a run was planned with. Raises BadRecipe for one that another version of the studio made."""
    if unknown := settings.keys() - {each.name for each in fields(Recipe)}:
        raise BadRecipe(
            f"Another version of the studio planned this run, with settings that are not known here ({', '.join(sorted(unknown))}). "
            "Resume it there, or repeat it here."
        )
    return Recipe(**settings)


def check(each: Field[Any], value: object) -> None:
    label, low, high = (each.metadata[key] for key in ("label", "low", "high"))
    if each.name == "quantization":
        if value not in QUANTIZATIONS:
            raise BadRecipe(f"{label} must be one of {', '.join(QUANTIZATIONS)}.")
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadRecipe(f"{label} must be a number between {plain(low)} and {plain(high)}.")
    if each.type == "int" and not isinstance(value, int):
        raise BadRecipe(f"{label} must be a whole number between {plain(low)} and {plain(high)}.")
    if not low <= value <= high:
        raise BadRecipe(f"{label} must lie between {plain(low)} and {plain(high)}.")


def plain(number: float) -> str:
    """A number as one writes it, without an exponent: "0.000001", "2,147,483,647"."""
    return f"{number:,.6f}".rstrip("0").rstrip(".")


# Rates measured on a 135M model with 149 examples: each doubling moves the style further; above 6e-4 answers repeat.
PRESETS: dict[str, dict[str, Any]] = {
    "gentle": {"learning_rate": 1e-4},
    "standard": {"learning_rate": 2e-4},
    "strong": {"learning_rate": 4e-4},
}
# Measured as the rates above, general examples mixed in 1:1, 128 updates; what general text from elsewhere lost or won:
# -1.5 %, -1.7 %, -0.8 %.
PRESET_HELP = {
    "gentle": "Gentle moves the style a little and risks least. Choose it when the base is already close. "
    "In a trial with 128 examples the held-out loss fell by 24 %.",
    "standard": "Standard moves the style clearly and keeps general knowledge. Start here. "
    "In a trial with 128 examples the held-out loss fell by 31 %.",
    "strong": "Strong moves the style furthest and may cost general knowledge. Choose it when standard moved too little. "
    "In a trial with 128 examples the held-out loss fell by 36 %, and general text was kept less well than by standard.",
}


def neighbours(rate: float) -> tuple[str, str]:
    """The names of the next gentler and the next stronger preset of a learning rate; "" where none goes further."""
    gentler = [name for name, each in PRESETS.items() if each["learning_rate"] < rate]
    stronger = [name for name, each in PRESETS.items() if each["learning_rate"] > rate]
    return (gentler or [""])[-1], (stronger or [""])[0]


def preset(name: str, learned: int, **changes: Any) -> Recipe:
    """The recipe of a preset for a set of `learned` conversations. Raises BadRecipe for a name or setting it does not know."""
    if name not in PRESETS:
        raise BadRecipe(f"There is no preset named {name}. Choose one of {', '.join(PRESETS)}.")
    unknown = set(changes) - {each.name for each in fields(Recipe)}
    if unknown:
        raise BadRecipe(f"There is no setting named {', '.join(sorted(unknown))}.")
    settings = {**PRESETS[name], **changes}
    recipe = Recipe(**settings)
    return recipe if "passes" in changes else replace(recipe, passes=passes_for(recipe, learned))


ENOUGH = 120  # updates; 96 on 128 examples moved the held-out loss of a 135M model by 28 %


def passes_for(recipe: Recipe, learned: int) -> int:
    """How often to see each conversation so that a run has enough updates to show.

    At least 120 updates for small sets, at most 8 passes (then more examples help, not more passes); one or two passes
    for thousands of conversations. Small sets given 6 to 49 updates are why "LoRA changed nothing" is a common complaint.
    """
    a_pass = updates_in_a_pass(recipe, learned)
    if a_pass >= 500:
        return 1
    if a_pass >= 200:
        return 2
    return max(3, min(8, math.ceil(ENOUGH / a_pass)))


def general_wanted(recipe: Recipe, learned: int) -> int:
    return round(recipe.general * learned)


def updates_in_a_pass(recipe: Recipe, learned: int) -> int:
    return max(1, math.ceil((learned + general_wanted(recipe, learned)) / recipe.batch))


def planned_updates(recipe: Recipe, learned: int) -> int:
    return recipe.updates or recipe.passes * updates_in_a_pass(recipe, learned)
