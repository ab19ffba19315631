// Long answers to a question stand in part until somebody presses its "Read them in full", and in part again after another press.
element.addEventListener("click", event => {
  const fold = event.target.closest("[data-fold]");
  if (!fold) return;
  const whole = fold.closest("li").classList.toggle("whole");
  fold.setAttribute("aria-expanded", String(whole));
  fold.textContent = whole ? "Show less" : "Read them in full";
});
