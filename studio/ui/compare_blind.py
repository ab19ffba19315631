"""Blind judging in the Compare tab: two answers without names, four keys, and how the votes stand."""

from __future__ import annotations

import base64
from typing import Any

import gradio as gr

from studio.core.endpoint import ARM
from studio.core.gap import ends, percent
from studio.core.judging import CALIBRATION, Calibration, Round, Tally, titled
from studio.core.records import Person
from studio.core.shares import sign_test
from studio.ui import compare_arms, compare_endpoint, compare_fix, compare_prepare, need
from studio.ui.shell import Shell
from studio.ui.show import counted
from studio.ui.wire import bind, bind_server
from studio.work import judging, models, prompts, serving, standing
from studio.work.self_test import self_test
from studio.work.studio import Studio

JUDGE = """
<div class="judge card" role="region" aria-labelledby="judge-title">
  <div class="head"><h2 id="judge-title">Judge blind</h2><span class="right soft num"></span></div>
  <div class="proof"></div>
  <div class="ahead"></div>
  <div class="before"></div>
  <div class="round" tabindex="-1"></div>
  <div class="after" role="status"></div>
  <div class="standing"></div>
</div>
"""


def lay_out(studio: Studio) -> gr.HTML:
    handlers = on_self_test, on_round, on_vote, on_take_back, on_reveal, on_standing, on_votes_file, compare_fix.on_fix_round, compare_fix.on_send_lost, *compare_prepare.DEEDS  # fmt: skip
    return gr.HTML(
        {"project": "", "arms": []},
        html_template=JUDGE,
        js_on_load=serving.scripts("judge_ahead", "judge"),
        server_functions=[bind_server(studio, each) for each in handlers],
        elem_id="judge",
        apply_default_css=False,
    )


def wire(studio: Studio, shell: Shell, looks: need.Looks, judge: gr.HTML) -> None:
    looks.read(studio, on_judge, [shell.project], [judge], queue=False, show_progress="hidden")
    judge.submit(bind(studio, compare_fix.on_leave), None, [shell.handed, shell.tabs], queue=False, show_progress="hidden")  # fmt: skip


def on_judge(studio: Studio, person: Person, project: str | None) -> dict[str, Any]:
    """The arms that can be judged against each other, the newest run second: it is what one usually wants to know."""
    if not project or not models.base(studio, project).path:
        return {"project": "", "arms": []}
    columns, kept = compare_arms.choices(studio, project), prompts.all_of(studio, project)
    words = [(f"Prompt “{each.name}”", f"prompt:{each.name}") for each in kept]
    # What stands second is chosen: nothing that leaves.
    local = [each for each in columns if not each[1].startswith(ARM)]
    arms = [{"label": label, "arm": arm} for label, arm in dict.fromkeys([*local, *words, *columns])]
    away = compare_endpoint.asked_besides(studio)
    last = judging.again(studio, person, project, compare_arms.newest(columns))
    return {
        "project": project, "arms": arms, "away": away, "reasons": judging.REASONS, "calibration": CALIBRATION,
        "last": compare_prepare.wish(last) if last else None,
    }  # fmt: skip


def on_round(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """The round that waits for this judge's vote; with `ahead`, the one after it is made, and nothing is shown of it."""
    wanted = compare_prepare.wanted(given)
    ahead = given.get("ahead") is True
    found = judging.next_round(studio, person, str(given["project"]), wanted, ahead=int(ahead))
    return {"round": as_shown(found) if found and not ahead else None, "over": found is None}


def on_self_test(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Whether both sides are what they say; asked before the first vote of a sitting."""
    project = str(given["project"])
    found = self_test(studio, judging.begin(studio, person, project, compare_prepare.wanted(given)))
    wrong = [each.detail for each in found if each.ok is False]
    loud = [each.detail for each in found if each.ok is None]
    away = any(each.name == "elsewhere" for each in found)
    title = "Verified is what answers on this machine" if away else "Both sides verified"
    said, details = " ".join(wrong or loud), [each.detail for each in found]
    return {"ok": not wrong, "title": title, "said": said, "details": details}


def as_shown(round: Round) -> dict[str, Any]:
    """A round without anything that tells the arms apart. A system text is of an arm's, so it is not shown."""
    turns = [[each.role, each.content] for each in round.messages if each.role != "system"]
    return {"id": round.id, "turns": turns, "left": round.left.answer, "right": round.right.answer}


def on_vote(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    project, reasons = str(given["project"]), given.get("reasons") or []
    judging.vote(studio, person, project, str(given["round"]), str(given["choice"]), list(map(str, reasons)))
    return uncovered(judging.reveal(studio, person, project))


def on_take_back(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    found = judging.undo(studio, person, str(given["project"]))
    return {"round": as_shown(found) if found else None}


def on_reveal(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return uncovered(judging.reveal(studio, person, str(given["project"]), last=True))


def uncovered(round: Round | None) -> dict[str, Any]:
    """Which arm was where in a round whose vote stands."""
    if round is None:
        return {"said": ""}
    if round.calibrates:
        return {"said": f"both answers were of {titled(round.left.arm)}, to calibrate."}
    chosen = {"tie": "neither", "bad": "neither, both are bad"}.get(round.chosen) or titled(round.chosen)
    where = f"left was {titled(round.left.arm)}, right {titled(round.right.arm)}"
    return {"said": f"{where}; you preferred {chosen}."}


def on_standing(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """What all judges' votes come to."""
    project = str(given["project"])
    found, lost = standing.standing(studio, project), compare_fix.offers(studio, project)
    return {
        "pairs": [
            {**as_bar(tally, said), "lost": lost.get((tally.a, tally.b), [])} for tally, said in found.pairs
        ],
        "strengths": [
            {"name": titled(arm), "value": each.value, "low": each.low, "high": each.high}
            for arm, each in found.strengths
        ],
        "judges": [said_of(judge, each) for judge, each in found.calibrations],
        "agreement": found.agreement,
    }


def on_votes_file(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """All votes, or the preference pairs that they leave, as a file for the page to save."""
    kind = str(given["kind"])
    end = "jsonl" if kind == "preferences" else kind
    content = standing.file(studio, str(given["project"]), kind)
    return {
        "name": f"{'preferences' if kind == 'preferences' else 'votes'}.{end}",
        "content": base64.b64encode(content).decode(),
    }


def as_bar(tally: Tally, said: str) -> dict[str, Any]:
    share = tally.share
    beside = f"{tally.b_wins} for, {tally.a_wins} against, {tally.ties} tied, {tally.both_bad} both bad"
    if tally.clear:
        chance = sign_test(tally.b_wins, tally.a_wins)
        often = f"{100 * chance:.0f} %" if chance >= 0.01 else "fewer than 1 %"
        beside += f"; equally good models would be parted so far in {often} of cases (sign test, one look)"
    name = f"{titled(tally.b)} over {titled(tally.a)}"
    return {"name": name, "said": said, "beside": beside, "value": share.value, "low": share.low, "high": share.high}  # fmt: skip


def said_of(judge: str, found: Calibration) -> str:
    sides = f"left preferred in {percent(found.left.value)} of clear votes {ends(found.left)}"
    if not found.rounds:
        return f"{judge}: {sides}; no calibration round yet."
    rounds = counted(found.rounds, "calibration round")
    return f"{judge}: {sides}; a preference in {percent(found.noise.value)} of {rounds} {ends(found.noise)}."
