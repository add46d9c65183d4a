// The pane with what went between Slack and the app.

import { copied, h, icon } from "./dom.js";

export class Traffic {
  constructor(list) {
    this.list = list;
    this.shown = new Map();
    this.from = 0;
  }

  clear() {
    this.from = Math.max(0, ...this.shown.keys());
    this.show([]);
  }

  show(events) {
    const wanted = new Map(events.filter((event) => event.id > this.from).map((event) => [event.id, event]));
    for (const [id, node] of this.shown) {
      if (!wanted.has(id)) {
        node.remove();
        this.shown.delete(id);
      }
    }
    for (const [id, event] of wanted) {
      if (this.shown.has(id)) continue;
      const node = entry(event);
      this.shown.set(id, node);
      this.list.prepend(node);
    }
  }
}

function entry(event) {
  const { direction, name, note, bad, parts } = described(event);
  return h("li", {},
    h("details", {},
      h("summary", {}, h("span", { class: "direction" }, direction), h("strong", {}, name), h("span", { class: bad ? "note bad" : "note" }, note)),
      Object.entries(parts).map(([title, value]) => {
        const json = JSON.stringify(value, null, 2);
        const button = h("button", { type: "button", class: "copy" }, icon("copy"), h("span", {}, "Copy"));
        button.addEventListener("click", () => copied(json, button));
        return h("div", { class: "payload" }, h("h3", {}, title), h("div", { class: "preformatted" }, h("pre", { tabindex: 0, "aria-label": title }, json), button));
      })));
}

function described(event) {
  switch (event.type) {
    case "delivery": {
      const { command, callback_id: callback, view, actions } = event.payload;
      return { direction: "Slack → Angel", name: event.kind, note: command ?? callback ?? actions?.[0]?.action_id ?? view?.callback_id, parts: { payload: event.payload } };
    }
    case "ack":
      return { direction: "Angel → Slack", name: `ack of ${event.kind}`, note: event.error ?? (event.answer ? "with an answer" : "empty"), bad: Boolean(event.error), parts: { answer: event.answer, ...(event.error ? { error: event.error } : {}) } };
    default: {
      const refused = event.response?.ok === false;
      return { direction: "Angel → Slack", name: event.method, note: refused ? event.response.error : String(event.status ?? "no answer"), bad: refused || event.status !== 200, parts: { request: event.request, response: event.response } };
    }
  }
}
