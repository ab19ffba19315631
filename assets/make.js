// Makes elements. Text goes in by the DOM alone, never as HTML.
function make(tag, classes, text) {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  if (text !== undefined) node.textContent = text;
  return node;
}

function press(text, classes, does) {
  const node = make("button", classes, text);
  node.type = "button";
  node.onclick = does;
  return node;
}
