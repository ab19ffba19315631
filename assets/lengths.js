// How many tokens each turn and the whole conversation have, counted a moment after somebody stops typing.
const sum = make("span", "soft num sum");
let lengthTimer = null, lengthAsked = 0;

function measure(wait = 600) {
  clearTimeout(lengthTimer);
  lengthTimer = setTimeout(measureNow, wait);
}

async function measureNow() {
  if (!doc || !project) return;
  const mine = ++lengthAsked, answer = await timed(server.on_length({ project, messages: read().messages })).catch(() => null);
  if (mine !== lengthAsked || !answer || answer.error) return;
  if (answer.later) measure(3000); else drawLengths(answer);
}

function drawLengths({ turns: counts = [], whole = null, limit = 0 }) {
  const own = doc.system === null ? 0 : 1, tokens = count => count.toLocaleString("en") + (count === 1 ? " token" : " tokens");
  [...turns.children].forEach((row, place) => { row.querySelector(".length").textContent = counts.length ? tokens(counts[place + own] ?? 0) : ""; });
  const over = whole !== null && whole > limit;
  sum.textContent = whole === null ? "" : over ? "Too long: " + tokens(whole) + ", the model takes " + limit.toLocaleString("en") + ". Training leaves it out." : tokens(whole);
  sum.classList.toggle("bad", over);
}
