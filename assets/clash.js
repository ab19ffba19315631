// Somebody saved first: both texts turn by turn, what differs marked word by word, and the person chooses turn by turn.
const SIDES = { gone: ["Keep this turn of theirs", "Leave it out"], new: ["Leave it out", "Keep this turn of mine"], changed: ["Theirs", "Mine"] };

// `found` is the studio's answer: its sentence, their conversation, and the turns of both; `mine` what was written here.
function clash(found, mine) {
  say("Not saved: somebody saved first", "bad");
  const node = note("warn", found.message), rows = found.turns.map(clashTurn), list = make("div", "clash");
  list.append(make("p", "legend"), ...rows);
  list.querySelector(".legend").append("Struck out: only in theirs. ", make("ins", "", "Underlined"), ": only in mine.");
  const row = make("div", "row");
  row.append(
    button("Save what is chosen", "primary", () => settle(found, { ...mine, messages: rows.map(chosenOf).filter(Boolean) })),
    button("Take all of theirs", "", () => { show(found.theirs); note("", "This is the newest version. Your own text is in the history."); }),
    button("Take all of mine", "", () => settle(found, mine)));
  node.append(list, row);
  node.querySelector("button").focus();
}

function clashTurn(turn, place) {
  const row = difference([turn.role, turn.kind, turn.relearned, turn.parts]);
  row.turn = turn;
  if (turn.kind === "same") return row;
  const choice = make("div", "choice-of"), name = "clash-" + drafts.random();
  choice.setAttribute("role", "radiogroup");
  choice.setAttribute("aria-label", "Turn " + (place + 1) + ", " + turn.role);
  SIDES[turn.kind].forEach((said, side) => {
    const label = make("label"), input = make("input");
    Object.assign(input, { type: "radio", name, value: side ? "mine" : "theirs", checked: side === (turn.kind === "gone" ? 0 : 1) });
    label.append(input, said);
    choice.append(label);
  });
  row.append(choice);
  return row;
}

const chosenOf = row => (row.turn.kind === "same" ? row.turn.mine : row.turn[row.querySelector("input:checked").value]);

// Saved on top of theirs, so that theirs stays in the history as the version before.
function settle(found, text) {
  show({ ...found.theirs, ...text });
  changed(0);
}
