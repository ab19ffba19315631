// Keeps a conversation at its newest words while they come in, unless the person has scrolled up to read.
const box = element.closest(".talk-box");
let following = true;
box.addEventListener("scroll", () => { following = box.scrollHeight - box.scrollTop - box.clientHeight < 40; });
watch("value", () => { if (following) box.scrollTop = box.scrollHeight; });
// Who has no mouse scrolls it with the arrow keys.
box.tabIndex = 0;
box.setAttribute("role", "region");
box.setAttribute("aria-label", "Conversation");
