// Blind judging: shows a question with two answers, takes the vote by key or button, and draws how the votes stand.
const at = name => element.querySelector("." + name);
const proof = at("proof"), before = at("before"), place = at("round"), after = at("after"), standing = at("standing"), count = element.querySelector(".head .num");
const CHOICES = [["left", "Left is better", "←", "ArrowLeft"], ["tie", "Tie", "=", "="], ["bad", "Both bad", "-", "-"], ["right", "Right is better", "→", "ArrowRight"]];
let round = null, wanted = null, votes = 0, busy = false;
const picked = new Set(), fixes = new Set();
let mine = null; // what this judge chose last: two arms, and questions of their own
let due = []; // answers to be fixed, whose round's vote can still be taken back

function deed(text, classes, does, key) {
  const made = press(text, classes, does);
  if (key) made.append(make("kbd", "", key));
  return made;
}

function toggle(text, classes, chosen, value, key) {
  const made = deed(text, classes, () => { chosen.has(value) ? chosen.delete(value) : chosen.add(value); made.setAttribute("aria-pressed", chosen.has(value)); }, key);
  made.setAttribute("aria-pressed", "false");
  return made;
}

function choice(label, chosen) {
  const whole = make("label", "", label), list = make("select");
  for (const each of props.value.arms) list.append(new Option(each.label, each.arm));
  list.value = chosen;
  whole.append(list);
  return [whole, list];
}

// What is judged: two arms, and whose questions.
function offer() {
  const arms = (props.value || {}).arms || [];
  element.querySelector(".judge").hidden = !(props.value || {}).project;
  round = wanted = null;
  count.textContent = "";
  place.replaceChildren();
  after.replaceChildren();
  if (arms.length < 2) {
    before.replaceChildren(make("p", "soft", "Train a model, or keep a prompt in the Prompt tab: then its answers can be judged against the base's without knowing which is which."));
    return;
  }
  const there = arm => arms.some(each => each.arm === arm), again = mine && there(mine.one) && there(mine.two) ? mine : { one: "base", two: arms[1].arm };
  const [one, first] = choice("Judge", again.one), [two, second] = choice("against", again.two);
  const own = make("details"), text = make("textarea"), row = make("div", "choosing");
  text.rows = 4;
  text.value = mine ? mine.questions : "";
  own.open = Boolean(text.value);
  text.setAttribute("aria-label", "Your own questions, one on each line");
  own.append(make("summary", "", "Ask your own questions instead of the held-out ones"), text);
  const wish = () => ({ one: first.value, two: second.value, questions: text.value });
  row.append(one, two, deed("Start judging", "", () => begin(wish())), deed("Prepare all answers first", "quiet", () => prepare(wish())));
  const rate = "Which answer is whose is told after the next vote. About one round in " + props.value.calibration + " shows two answers of the same model, to learn how much of a preference is chance.";
  const away = make("p", "soft"), tell = () => { away.textContent = [...new Set([first.value, second.value])].map(each => props.value.away[each] || "").join(""); };
  row.onchange = tell;
  tell();
  before.replaceChildren(make("p", "soft", rate), row, away, own);
}

async function begin(wish) {
  mine = wish;
  wanted = { project: props.value.project, ...wish };
  votes = 0;
  hushAhead();
  if (await verified()) await forward();
}

// Each side is tried before the first vote: is it the model that it says it is?
async function verified() {
  before.replaceChildren();
  place.replaceChildren(make("p", "soft", "Checking that both sides are what they say…"));
  const told = await asked(server.on_self_test, wanted);
  const list = make("ul", "dots"), details = make("details", told && told.ok ? "verified" : "verified bad");
  if (!told || !told.ok) { wanted = null; offer(); }
  if (!told) return false;
  list.append(...told.details.map(each => make("li", "soft", each)));
  details.append(make("summary", "", told.ok ? told.title : "A side is not what it says"), list);
  proof.replaceChildren(details);
  say(told.said, told.ok ? "warn" : "bad");
  return told.ok;
}

async function asked(call, given) {
  const told = await call(given).catch(() => ({ error: { message: "The studio does not answer. Your votes are kept; try again in a moment." } }));
  if (told.error) say(told.error.message, "bad");
  return told.error ? null : told;
}

async function forward() {
  busy = true;
  place.replaceChildren(make("p", "soft", "Both are answering…"));
  const told = await asked(server.on_round, wanted);
  busy = false;
  if (!told) { place.replaceChildren(); return; }
  if (told.over) { end(); return; }
  draw(told.round);
  server.on_round({ ...wanted, ahead: true }).catch(() => {}); // the next one is answered while this one is read
}

function draw(next) {
  round = next;
  picked.clear();
  fixes.clear();
  before.replaceChildren();
  count.textContent = votes + (votes === 1 ? " vote" : " votes") + " in this sitting";
  const panes = make("div", "panes-two");
  for (const side of ["left", "right"]) {
    const pane = make("section", "answer"), text = make("p", "said", next[side] || "(no answer)");
    pane.append(make("h3", "", side === "left" ? "Left" : "Right"), text);
    text.dir = "auto";
    pane.append(toggle("Fix this answer", "quiet fix", fixes, side));
    panes.append(pane);
  }
  const turns = next.turns.map(([role, content]) => { const made = make("p", role === "user" ? "said you" : "said", content); made.dir = "auto"; return made; });
  const row = make("div", "vote");
  for (const [name, label, key] of CHOICES) row.append(deed(label, "", () => vote(name), key));
  const why = make("div", "reasons");
  why.append(make("span", "soft", "Because of"), ...props.value.reasons.map((each, index) => toggle(each, "tag", picked, each, index + 1)));
  const foot = make("div", "foot");
  foot.append(why, deed("Take the last vote back", "quiet", takeBack, "u"), deed("Stop judging", "quiet", end));
  place.replaceChildren(...turns, panes, row, foot);
  place.focus({ preventScroll: true });
}

async function vote(name) {
  if (busy || !round) return;
  busy = true;
  const told = await asked(server.on_vote, { project: wanted.project, round: round.id, choice: name, reasons: [...picked] });
  busy = false;
  if (!told) return;
  votes += 1;
  const voted = round.id;
  round = null;
  due.push(...[...fixes].map(side => ({ round: voted, side })));
  say(told.said ? "The vote before: " + told.said : "");
  await fix(each => each.round !== voted);
  await forward();
}

async function takeBack() {
  if (busy) return;
  const told = await asked(server.on_take_back, { project: wanted.project });
  if (!told) return;
  if (!told.round) { say("There is no vote that can be taken back: which answer was whose has been told."); return; }
  votes = Math.max(votes - 1, 0);
  due = due.filter(each => each.round !== told.round.id);
  draw(told.round);
  say("Your last vote is taken back. Vote again.");
}

async function end() {
  const told = await asked(server.on_reveal, { project: props.value.project });
  const over = wanted && !round;
  offer();
  say([over ? "Every question is judged." : "", told && told.said ? "The last vote: " + told.said : ""].filter(Boolean).join(" "));
  if (told) await fix(() => true);
  await stand();
  document.getElementById("verdict-again")?.click(); // only now: while one judges, the verdict would tell whose answer was whose
}

// Answers go to Write once it has been told whose they are: the draft there names the model.
async function fix(known) {
  const now = due.filter(known), project = props.value.project;
  due = due.filter(each => !known(each));
  for (const each of now) sent(await asked(server.on_fix_round, { project, ...each }));
}

// What was sent to Write, and the way there.
function sent(told) {
  if (!told) return;
  const said = make("p", "note", told.said + " ");
  if (told.conversation) said.append(deed("Open it in Write", "", () => trigger("submit", { conversation: told.conversation, own: told.own })));
  after.append(said);
}

function say(text, kind) { after.replaceChildren(...(text ? [make("p", "note " + (kind || ""), text)] : [])); }

// How the votes of all judges stand.
function bar(each) {
  const drawn = make("span", "interval"), half = make("s"), range = make("i"), value = make("u"), percent = share => Math.round(100 * share) + "%";
  range.style.left = percent(each.low);
  range.style.width = percent(each.high - each.low);
  value.style.left = percent(each.value);
  drawn.append(half, range, value);
  return [make("span", "", each.name), drawn, make("span", "num", Math.round(100 * each.value) + " % [" + Math.round(100 * each.low) + ", " + Math.round(100 * each.high) + "]")];
}

function lost({ label, ...which }) {
  const made = deed(label, "quiet lost", async () => {
    made.disabled = true;
    const told = await asked(server.on_send_lost, { project: props.value.project, ...which });
    if (told) say("");
    sent(told);
    await stand();
  });
  return made;
}

async function stand() {
  const project = (props.value || {}).project, told = project ? await asked(server.on_standing, { project }) : null;
  if (!told || project !== props.value.project) return;
  const made = [];
  for (const each of told.pairs) {
    const score = make("div", "score");
    score.append(...bar(each));
    made.push(make("p", "note", each.said), score, make("p", "soft", each.beside + "."), ...each.lost.map(lost));
  }
  if (told.strengths.length) {
    const score = make("div", "score");
    for (const each of told.strengths.slice(1)) score.append(...bar(each));
    made.push(make("h3", "", "Chance to be preferred over " + told.strengths[0].name), score);
  }
  if (told.agreement !== null) made.push(make("p", "soft", "Judges' agreement (Krippendorff's alpha, 1 is whole, 0 chance): " + told.agreement.toFixed(2).replace("-", "−") + "."));
  const judges = make("ul", "dots");
  judges.append(...told.judges.map(each => make("li", "soft", each)));
  if (told.judges.length) made.push(judges);
  if (told.pairs.length) {
    const files = make("div", "foot");
    files.append(...[["jsonl", "Votes as JSON Lines"], ["csv", "as CSV"], ["parquet", "as Parquet"], ["preferences", "Preference pairs, for the alignment that comes next"]].map(([kind, label]) => deed(label, "quiet", () => save(kind))));
    made.push(files);
  }
  if (made.length) made.unshift(make("h3", "", "How the votes stand"));
  standing.replaceChildren(...made);
}

async function save(kind) {
  const told = await asked(server.on_votes_file, { project: props.value.project, kind });
  if (!told) return;
  const bytes = Uint8Array.from(atob(told.content), sign => sign.charCodeAt(0)), link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = told.name;
  link.click();
  URL.revokeObjectURL(link.href);
}

document.addEventListener("keydown", event => {
  if (!round || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !element.offsetParent) return;
  if (event.target.closest("input, textarea, select, [contenteditable=true]")) return;
  const chosen = CHOICES.find(each => each[3] === event.key), reason = element.querySelectorAll(".reasons button")[Number(event.key) - 1];
  if (chosen) vote(chosen[0]); else if (event.key === "u") takeBack(); else if (reason) reason.click(); else return;
  event.preventDefault();
});

// The tab tells its arms whenever it is opened: a sitting goes on where they are the same.
let known = "";
function learn() {
  const { last, ...told } = props.value || {}, now = JSON.stringify(told);
  if (now === known) return;
  known = now;
  mine = last;
  due = [];
  standing.replaceChildren();
  proof.replaceChildren();
  offer();
  askAhead();
  stand();
}
watch("value", learn);
learn();
