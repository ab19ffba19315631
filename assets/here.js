// Who is where, in the list's rows; hands out the next conversation at which nobody else is; and shows the review queue in the list's place.
const reviewBar = make("div", "review"), reviewButton = make("button"), reviewSaid = make("span", "soft"), inWindow = () => sessionStorage.getItem("studio.tab") || "";
let people = { here: {}, several: false, review: 0 }, reviewing = false, lastPlace = -1, lastNumber = 0;
reviewBar.hidden = true;
reviewButton.type = "button";
reviewButton.dataset.key = "v";
reviewButton.onclick = () => review(!reviewing);
reviewBar.append(reviewButton, reviewSaid);

// The last cell of a row: who is there, else who wrote it where more than one person writes, and how long it is.
function atWork(each, turns) {
  const cell = make("span", "state num at");
  Object.assign(cell.dataset, { conversation: each.id, by: each.updated_by, turns });
  dressAt(cell);
  return cell;
}

function dressAt(cell) {
  const { conversation, by, turns } = cell.dataset, other = people.here[conversation];
  cell.classList.toggle("taken", other !== undefined);
  cell.textContent = other !== undefined ? (other ? other + " is here" : "in another window") : people.several ? by + ", " + turns : turns;
  cell.title = people.several ? "Changed last by " + by : "";
}

function drawPeople(found) {
  if (people.step !== undefined && people.step !== found.step) soon(0); // somebody changed something
  people = found;
  for (const cell of rows.querySelectorAll(".at")) dressAt(cell);
  drawReview();
}

function drawReview() {
  reviewBar.hidden = binned || !(reviewing || people.review);
  const many = people.review >= 2000 ? "2,000 or more" : people.review.toLocaleString("en");
  reviewButton.replaceChildren(reviewing ? "Close the review" : "To review: " + many, make("kbd", "", "v"));
  reviewButton.setAttribute("aria-pressed", String(reviewing));
  reviewSaid.textContent = reviewing ? (people.several ? "What others have made ready" : "What is ready") : "";
}

function review(on) {
  reviewing = on;
  first = 1;
  picked.clear();
  drawMarks();
  drawReview();
  element.classList.toggle("in-review", on);
  tell("studio:review", { on });
  refresh();
  lastNumber = 0;
  if (on) handReview();
}

async function handReview() {
  const answer = await server.on_take_review({ project, after: lastNumber, window: inWindow() }).catch(() => null);
  if (!answer || answer.error) { range.textContent = answer ? answer.error.message : "The studio does not answer. Try again in a moment."; return; }
  if (!answer.taken) return tell("studio:reviewed", {});
  open(answer.taken);
}

// The next in the list's own order, past conversations at which somebody else is; behind the last one there is a new one.
async function handOut() {
  if (reviewing) return handReview();
  let at = shown.findIndex(each => each.id === chosen);
  if (at < 0 && chosen && lastPlace >= 0) at = lastPlace - 1; // it has left the list, as after a verdict where one status is shown
  else if (at < 0) return tell("studio:new", {});
  for (;;) {
    const ids = shown.slice(at + 1).map(each => each.id);
    const answer = ids.length ? await server.on_take({ project, ids, window: inWindow() }).catch(() => null) : { taken: null };
    if (!answer || answer.error) return ids.length ? open(ids[0]) : undefined;
    if (answer.taken) return open(answer.taken);
    if (on.disabled) return tell("studio:new", {});
    await turn(1);
    at = -1;
  }
}

// Called by the last script, which has `hear`.
function beginHere() {
  hear("studio:here", event => drawPeople(event.detail));
  hear("studio:opened", event => {
    const place = shown.findIndex(each => each.id === event.detail.id);
    if (place >= 0) { lastPlace = place; lastNumber = shown[place].number; }
  });
  watch("value", () => { if (reviewing && (props.value || {}).project !== project) review(false); });
}
