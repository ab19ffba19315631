// Verdicts: approve, or reject with a reason that the author reads. In a review the next conversation opens by itself.
const verdictLine = make("div", "note warn"), reasonForm = make("div", "reason"), reasonField = make("input"), reasonWrong = make("span", "bad");
let inReview = false, heldFor = "", heldText = "", judgedId = null;
verdictLine.setAttribute("role", "status");
reasonForm.setAttribute("role", "group");
reasonForm.setAttribute("aria-label", "Reject");
reasonField.maxLength = 1000;
reasonField.setAttribute("aria-label", "Why it is rejected");
reasonWrong.setAttribute("role", "alert");
reasonField.onkeydown = event => {
  if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); event.stopPropagation(); rejectWith(reasonField.value.trim()); }
  if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); closeReason(); reject.focus(); }
};
reasonForm.append(reasonField, button("Reject", "primary", () => rejectWith(reasonField.value.trim())), button("Cancel", "quiet", () => { closeReason(); reject.focus(); }), reasonWrong);

// Outside a review the same key takes a verdict back.
function judge(verdict) {
  if (verdict === "rejected" && (inReview || status.value !== "rejected")) return askReason();
  return decide(!inReview && status.value === verdict ? "draft" : verdict, "");
}

async function decide(verdict, reason) {
  closeReason();
  holdText();
  status.value = verdict;
  if (heldBack()) return;
  doc.reason = reason;
  changed(0);
  if (inReview) await next();
}

function askReason() {
  reasonField.value = "";
  reasonField.placeholder = inReview ? "Why? The author reads it" : "Why? Or nothing";
  reasonWrong.textContent = "";
  foot.before(reasonForm);
  reasonField.focus();
  reasonForm.scrollIntoView({ block: "nearest" });
}

function closeReason() { reasonForm.remove(); }

function rejectWith(reason) {
  if (inReview && !reason) { reasonWrong.textContent = "Write a few words: the author reads them."; reasonField.focus(); return; }
  decide("rejected", reason);
}

// Nobody has approved a text that was changed since: it is ready, and waits for a review again.
function holdText() { heldText = JSON.stringify(read().messages); }
function unapprove() { if (status.value === "approved" && JSON.stringify(read().messages) !== heldText) status.value = "ready"; }

async function drawVerdict() {
  const mine = doc, answer = doc.id && status.value === "rejected" ? await timed(server.on_rejection({ project, conversation: doc.id })).catch(() => null) : null;
  if (mine !== doc) return;
  if (!answer || !answer.by) { verdictLine.remove(); return; }
  const at = new Date(answer.at), today = at.toDateString() === new Date().toDateString();
  const when = today ? at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }) : at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const row = make("div", "row");
  row.append(button("Ready for a review again", "", () => { decide("ready", ""); }, "", "Say that it was changed, and put it back among what waits for a review"));
  verdictLine.replaceChildren(make("p", "", "Rejected by " + answer.by + ", " + when + (answer.reason ? ": " + answer.reason : ".")), row);
  notes.before(verdictLine);
}

function openedHere() {
  const held = named(doc) + " " + doc.version;
  if (held !== heldFor && !dirty()) { heldFor = held; holdText(); }
  if (judgedId !== named(doc)) {
    judgedId = named(doc);
    closeReason();
    verdictLine.remove();
    if (inReview) { title.tabIndex = -1; title.focus({ preventScroll: true }); }
  }
  drawVerdict();
}

// Called by the last script, which has `hear`.
function beginReview() {
  hear("studio:opened", openedHere);
  hear("studio:review", event => {
    inReview = event.detail.on;
    approve.classList.toggle("primary", inReview);
    onward.classList.toggle("primary", !inReview);
  });
  hear("studio:reviewed", () => { notes.replaceChildren(); note("", "Nothing more waits for your review."); });
  // A status that somebody chooses stands for the text as it is then; heard before the list of statuses itself hears it.
  element.addEventListener("change", event => { if (event.target === status && doc) holdText(); }, true);
}
