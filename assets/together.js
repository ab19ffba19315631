// Says where this window is while it is seen, shows who else is at the open conversation, and tells the list who is where.
const EVERY = 20000, beside = make("span", "company");
let hereTimer = null, hereAsked = 0, hereAt = null, seenStep = -1, toReview = 0;
beside.setAttribute("role", "status");

function sayHereIn(wait) {
  clearTimeout(hereTimer);
  hereTimer = setTimeout(sayHere, wait);
}

// Hidden windows say nothing: what they said runs out by itself, and being seen again begins anew.
async function sayHere() {
  clearTimeout(hereTimer);
  hereTimer = null;
  const tab = sessionStorage.getItem("studio.tab");
  if (!element.isConnected || document.hidden) return;
  if (!project || !tab) return sayHereIn(1000);
  const mine = ++hereAsked, at = doc && doc.id && !doc.deleted && element.getClientRects().length ? doc.id : "";
  hereAt = at;
  const answer = await timed(server.on_here({ project, conversation: at, window: tab, seen: seenStep })).catch(() => null);
  if (mine !== hereAsked) return;
  if (!hereTimer) sayHereIn(EVERY); // what was opened meanwhile is said sooner
  if (answer && !answer.error && (!at || doc.id === at)) drawHere(answer, at);
}

function drawHere(answer, at) {
  const other = answer.here[at];
  if (!beside.isConnected) version.after(beside);
  const said = other === undefined ? "" : other ? other + " is here" : "in another window";
  if (beside.textContent !== said) beside.textContent = beside.title = said;
  seenStep = answer.step;
  if (answer.review !== null) toReview = answer.review;
  tell("studio:here", { ...answer, review: toReview });
  const busy = dirty() || !past.hidden || element.querySelector(".clash") || /^(TEXTAREA|INPUT)$/.test(document.activeElement.tagName);
  if (at && answer.version > doc.version && !busy) reread(system);
}

// Called by the last script, which has `hear`.
function beginTogether() {
  hear("studio:opened", () => { if (doc.id !== hereAt) beside.textContent = beside.title = ""; sayHereIn(doc.id === hereAt ? 3000 : 300); });
  hear("studio:named", () => { seenStep = -1; sayHereIn(0); });
  hear("visibilitychange", () => { if (!document.hidden) sayHereIn(0); });
  watch("value", () => { seenStep = -1; sayHereIn(300); });
}
