// Says why the studio refused what somebody did. Gradio 6.31 shows the errors of events in its queue only; one outside of it fails
// as a request and would say nothing.
const REFUSED_SHOWN = 10000; // milliseconds

function sayRefused(html) {
  const told = new DOMParser().parseFromString(html, "text/html").body, title = told.querySelector("strong");
  const heading = title ? title.textContent : "That did not work";
  if (title) title.remove();
  let place = document.querySelector("#refused");
  if (!place) {
    place = document.createElement("div");
    place.id = "refused";
    document.body.append(place);
  }
  const said = told.textContent.trim();
  for (const each of [...place.children]) if (each.dataset.said === said) each.remove();
  const note = document.createElement("div"), strong = document.createElement("strong"), text = document.createElement("p"), close = document.createElement("button");
  note.setAttribute("role", "alert");
  note.dataset.said = said;
  strong.textContent = heading;
  text.textContent = said;
  close.textContent = "×";
  close.setAttribute("aria-label", "Close this message");
  close.onclick = () => note.remove();
  note.append(strong, close, text);
  place.append(note);
  setTimeout(() => note.remove(), REFUSED_SHOWN);
}

if (!window.fetch.saysRefusals) {
  const plainFetch = window.fetch;
  window.fetch = async (...given) => {
    // Only what a person just did: what the page asks by its clock would be said again each second.
    const theirs = !navigator.userActivation || navigator.userActivation.isActive;
    const answer = await plainFetch(...given);
    if (theirs && answer.status === 500 && answer.url.includes("/run/"))
      answer.clone().json().then(told => { if (told.error) sayRefused(told.error); }, () => {});
    return answer;
  };
  window.fetch.saysRefusals = true;
}
