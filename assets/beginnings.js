// The templates beside New, where there are any: choosing one begins a new conversation with its text.
const beginnings = menuOf("▾", "New from a template (t)"), beginningsOpener = beginnings.querySelector("summary"), beginningsList = beginnings.querySelector(".deeds");
beginnings.hidden = true;
beginningsOpener.dataset.key = "t";
fresh.after(beginnings);

async function offerBeginnings() {
  if (!project) return;
  const answer = await server.on_templates({ project }).catch(() => null);
  if (!answer || !answer.templates) return;
  beginnings.hidden = !answer.templates.length;
  const manage = plain("Rename or delete …", () => tell("studio:keep-template", {}));
  manage.className = "quiet soft";
  beginningsList.replaceChildren(...answer.templates.map(each => {
    const deed = plain(each.name, () => { if (binned) look(false); tell("studio:begin", { template: each.id }); });
    deed.dir = "auto";
    return deed;
  }), manage);
}

hear("studio:templates", offerBeginnings);
watch("value", offerBeginnings);
offerBeginnings();
