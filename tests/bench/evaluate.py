"""Held-out questions to three arms, beside plain transformers: python run_studio.py bench evaluate.

Ours is the command `evaluate`, from its first question to its result: STUDIO_BENCH_QUESTIONS (100) held-out questions to the
base, to a prompt and to that with four examples, and all that the sentence needs besides: the base's answers to 120 learned
questions and what it draws by itself, losses, scores. The peer is `generate`, one question at a time, for the same answers:
it answers every STUDIO_BENCH_EACH-th (20) of them, half before ours and half after, and its time is scaled to all by the
tokens of our answers. Loading is in our time and not in the peer's. Each works in a process of its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

CHECKOUT = Path(__file__).parents[2]
QUESTIONS = int(os.environ.get("STUDIO_BENCH_QUESTIONS", "100"))
EACH = int(os.environ.get("STUDIO_BENCH_EACH", "20"))
SYSTEM = "You answer for a small shop of lamps: five short sentences, plain words, no exclamation marks."
ARMS = "base,prompt:words,prompt:examples"
GREETINGS = ("", "Hello. ", "Good morning. ", "Hi there. ", "Dear shop, ", "Good evening. ", "One thing: ", "Sorry to ask. ",
             "Quick question. ", "Hello again. ", "Me again. ", "To whom it may concern: ", "Hey. ", "Please help. ", "So, ",
             "A question: ", "Good day. ", "Morning! ", "Evening! ", "Excuse me. ", "My turn: ", "Hi. ")  # fmt: skip
GOAL = 3.0
RESULT = "RESULT "

Row = dict[str, Any]  # a question as it was asked, with what ours answered


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        prepared(home)
        asked = planned(home)[::EACH]
        before = [peer(place, precision, asked[::2]) for precision in ("bf16", "fp32")]
        ours = evaluated(home)
        after = [peer(place, precision, asked[1::2]) for precision in ("bf16", "fp32")]
    rows = [
        row
        for precision, *halves in zip(("bf16", "fp32"), before, after, strict=True)
        for row in beside(ours, asked, halves, precision)
    ]
    what = (
        f"{QUESTIONS} held-out questions to three arms of the starter: {ours['answers']} answers, {len(asked)} by the peer; "
        f"ours took {ours['answering']:.0f} s to answer, {ours['losses']:.0f} s for losses, {ours['scores']:.1f} s for scores"
    )
    return {"what": what, "load": os.getloadavg(), "rows": rows}


def beside(ours: Row, asked: Sequence[Row], halves: Sequence[Row], precision: str) -> Iterator[Row]:
    """`halves`: what the peer told before and after."""
    made = ours["tokens"]
    sampled = sum(made[each["arm"], each["conversation"]] for each in asked)
    wall, cpu = (
        sum(each[unit] for each in halves) * sum(made.values()) / sampled for unit in ("wall", "cpu")
    )
    yield row(f"seconds to answer, {precision}", ours["answering"], wall, GOAL)
    everything = ours["answering"] + ours["losses"] + ours["scores"]
    yield row(f"the same, ours with losses and scores, {precision}", everything, wall, GOAL)
    yield row(f"processor seconds of all that, {precision}", ours["cpu"], cpu)
    yield row(f"tokens of the peer's answers, {precision}", sampled, sum(each["tokens"] for each in halves))
    yield row(f"peak MB, {precision}", ours["peak_mb"], max(each["peak_mb"] for each in halves))


def row(what: str, ours: float, peer: float, goal: float | None = None) -> Row:
    found = {"what": what, "ours": round(ours, 1), "peer": round(peer, 1), "ratio": round(peer / ours, 2)}
    return found | ({"goal": goal, "met": peer / ours >= goal} if goal else {})


# --- ours


def prepared(home: Path) -> None:
    """The starter examples, each begun in another way, until QUESTIONS of them are held out."""
    from studio.core.records import Change, Message
    from studio.engine import starter
    from studio.work import planning, prompts, writing
    from studio.work import studio as making

    models = user_cache_path("sft-studio-tests") / "models"
    starter.ensure(models, lambda done, total: None)
    studio = making.opened(home)
    (studio.home.models / "starter").symlink_to(models / "starter")
    project, person = writing.project(studio, "default"), making.owner()
    lines = (CHECKOUT / "assets" / "starter_examples.jsonl").read_text("utf-8").splitlines()
    talks = [[(each["role"], each["content"]) for each in json.loads(line)["messages"]] for line in lines]
    for number, greeting in enumerate(GREETINGS):
        for place, ((role, said), *rest) in enumerate(talks):
            messages = (Message(role, greeting + said), *(Message(*each) for each in rest))
            writing.save(studio, person, Change(f"{number}-{place}", project.id, "", 0, messages))
        if len(planning.sides(studio, project.id).held_out) >= QUESTIONS:
            break
    prompts.keep(studio, person, project.id, "words", SYSTEM)
    prompts.keep(studio, person, project.id, "examples", SYSTEM, 4)
    studio.jobs.close()
    studio.database.close()


def planned(home: Path) -> list[Row]:
    """All questions that ours will answer, in its order."""
    from studio.core.formats import as_entry
    from studio.work import evaluation_plan, writing
    from studio.work import studio as making
    from studio.work.evaluation_plan import Words, first_answer

    studio = making.opened(home)
    project = writing.project(studio, "default").id
    chosen = evaluation_plan.contenders(studio, project, ARMS.split(","), Words())
    spec, data = evaluation_plan.planned(studio, making.owner(), project, chosen, QUESTIONS)
    lists = [("learned", [(id, talk[: first_answer(talk)]) for id, talk in data["learned"]])]
    lists += [(each["arm"], data[each["file"]]) for each in spec["arms"]]
    lists += [("drawn", data["arm-0"])]
    studio.jobs.close()
    studio.database.close()
    return [
        {"arm": arm, "conversation": id, "most": spec["sampling"]["max_tokens"], "messages": [as_entry(each) for each in talk]}
        for arm, talks in lists
        for id, talk in talks
    ]  # fmt: skip


def evaluated(home: Path) -> Row:
    """The command's own run. Its folder tells when it began, when the last answer came, and when the result was there."""
    command = [sys.executable, "-m", "studio", "evaluate", "--home", str(home), "--arms", ARMS, "--limit", str(QUESTIONS), "--json"]  # fmt: skip
    _, used = child(command)
    folder = home / "evaluations" / "1"
    begun, answered, read, ended = (
        (folder / name).stat().st_mtime
        for name in ("spec.json", "answers.jsonl", "losses.jsonl", "result.json")
    )
    answers = [json.loads(line) for line in (folder / "answers.jsonl").read_text("utf-8").splitlines()]
    return {
        "answering": answered - begun, "losses": read - answered, "scores": ended - read, "answers": len(answers), **used,
        "tokens": {(each["arm"], each["conversation"]): each["tokens"] for each in answers},
    }  # fmt: skip


def child(command: Sequence[str]) -> tuple[str, Row]:
    """What a process printed, its processor seconds, and the most memory it had."""
    with tempfile.TemporaryFile("w+") as printed:
        begun = subprocess.Popen(command, stdout=printed, cwd=CHECKOUT)
        _, status, used = os.wait4(begun.pid, 0)
        begun.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        if begun.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {printed.read()}")
        return printed.read(), {"cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}


# --- the peer


def peer(place: str, precision: str, asked: Sequence[Row]) -> Row:
    """Its seconds, tokens and memory, from a process of its own."""
    file = Path(place) / "asked.json"
    file.write_text(json.dumps(asked), "utf-8")
    told, _ = child([sys.executable, str(Path(__file__)), precision, str(file)])
    return dict(json.loads(told.rpartition(RESULT)[2]))


def generated(precision: str, asked: Sequence[Row]) -> Row:
    """Every question by itself, as transformers' own documentation does it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = user_cache_path("sft-studio-tests") / "models" / "starter"
    dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[precision]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens, wall, cpu = 0, time.perf_counter(), time.process_time()
    for each in asked:
        talk = [{"role": turn["role"], "content": turn["content"]} for turn in each["messages"]]
        given = tokenizer.apply_chat_template(talk, add_generation_prompt=True, return_tensors="pt", return_dict=True)  # fmt: skip
        way = {"do_sample": True, "temperature": 1.0, "top_p": 1.0, "top_k": 0} if each["arm"] == "drawn" else {"do_sample": False}  # fmt: skip
        made = model.generate(**given, max_new_tokens=each["most"], pad_token_id=2, **way)
        tokens += made.shape[1] - given["input_ids"].shape[1]
    used = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return {**used, "tokens": tokens, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    print(RESULT + json.dumps(generated(sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8")))))
