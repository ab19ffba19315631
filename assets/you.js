// Who you are, in the strip: a name that you give yourself, kept in a cookie. It says who wrote what; it is no password.
const you = document.createElement("span"), youIs = document.createElement("button"), youField = document.createElement("input"), YEAR = 31536000;
you.className = "you";
youIs.type = "button";
youIs.className = "quiet";
youField.maxLength = 60;
youField.hidden = true;
youField.autocomplete = "name";
youField.setAttribute("aria-label", "Your name");
youField.placeholder = "Your name";
you.append(youIs, youField);
youIs.onclick = () => {
  youIs.hidden = true;
  youField.hidden = false;
  youField.value = youIs.dataset.name;
  youField.focus();
  youField.select();
};
youField.onkeydown = event => {
  if (event.key === "Escape") { event.stopPropagation(); youField.value = youIs.dataset.name; }
  if (event.key === "Enter" || event.key === "Escape") youField.blur();
};
youField.oninput = () => youField.setCustomValidity("");
youField.onblur = () => {
  youIs.hidden = false;
  youField.hidden = true;
  if (youField.value.trim() !== youIs.dataset.name) call(youField.value.trim());
};

// An empty name is the account's again. The studio has the last word on what can be a name.
async function call(name) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = "studio_name=" + encodeURIComponent(name) + "; Path=/; SameSite=Strict; Max-Age=" + (name ? YEAR : 0) + secure;
  await ask("on_state");
  document.dispatchEvent(new CustomEvent("studio:named"));
  if (name && name.replace(/\s+/g, " ").normalize("NFC") !== youIs.dataset.name) refuse(name);
}

function refuse(name) {
  youIs.click();
  youField.value = name;
  youField.setCustomValidity("This cannot be a name. Write one without invisible characters.");
  youField.reportValidity();
}

function drawYou(person) {
  const are = document.createElement("span");
  are.className = "are";
  are.textContent = "You are: ";
  youIs.dataset.name = person;
  youIs.title = "Change your name. Colleagues see it at what you write.";
  youIs.replaceChildren(are, person);
  return you;
}
