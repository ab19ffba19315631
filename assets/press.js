// Tells the page which button of a list was pressed: its data-press (what to do) and data-id (with which).
element.addEventListener("click", event => {
  const button = event.target.closest("[data-press]");
  if (button) trigger("click", { press: button.dataset.press, id: button.dataset.id });
});
