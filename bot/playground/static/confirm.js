// The question that Slack asks before a press counts, where the app wants one asked.

import { fresh, h } from "./dom.js";
import { mrkdwn, plain } from "./mrkdwn.js";

// True once it was answered with yes; Escape is no.
export function confirmed(object, names) {
  const asks = object.confirm;
  if (!asks) return Promise.resolve(true);
  const id = fresh("confirm");
  const words = asks.text.type === "mrkdwn" ? mrkdwn(asks.text.text, names) : plain(asks.text.text);
  const yes = h("button", { value: "yes", class: `button ${asks.style ?? "primary"}` }, plain(asks.confirm.text));
  const dialog = h("dialog", { class: "modal confirm", "aria-labelledby": id, "aria-describedby": `${id}-text` },
    h("form", { method: "dialog" },
      h("header", {}, h("h2", { id }, plain(asks.title.text))),
      h("div", { class: "modal-content", id: `${id}-text` }, words),
      h("footer", {}, h("button", { value: "no", class: "button" }, plain(asks.deny.text)), yes)));
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
  });
}
