// Takes an import back: what nobody changed since goes to the bin.
const counted = (number, one, many) => number.toLocaleString("en") + " " + (number === 1 ? one : many || one + "s");
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

// What a server function answers, or what went wrong in its place.
async function asked(name, given) {
  const answer = await server[name](given).catch(() => null);
  return answer || { error: { message: "The studio does not answer. Nothing was changed; try again in a moment." } };
}

// Answers the sentence that says what became of it.
async function undoImport(project, id) {
  const answer = await asked("on_undo", { project, import: id });
  if (answer.error) return answer.error.message;
  tell("studio:saved", {});
  tell("studio:marked", {});
  const gone = counted(answer.gone, "conversation") + (answer.gone === 1 ? " is" : " are") + " in the bin.";
  return answer.stay ? gone + " " + answer.stay.toLocaleString("en") + (answer.stay === 1 ? " was changed since and stays." : " were changed since and stay.") : gone;
}
