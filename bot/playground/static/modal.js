// Modals. The stack is the local Slack's; the top one is shown, and updated in place.

import { one, rendered, showError } from "./blocks.js";
import { announce, fresh, h, icon } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { act } from "./wire.js";

const FILL_MS = 250;

export class Modal {
  constructor(dialog, context, back) {
    this.dialog = dialog;
    this.context = context;
    this.back = back;
    this.view = null;
    this.nodes = [];
    // Escape: as the X.
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); this.#close(); });
  }

  show(view, errors) {
    // It was closed here, and the local Slack has yet to hear of it.
    if (view?.id === this.closed) return;
    if (!view) {
      if (this.dialog.open) {
        this.dialog.close();
        this.view = null;
        this.nodes = [];
        this.back();
      }
      return;
    }
    const another = this.view?.id !== view.id;
    const before = this.view;
    this.view = view;
    if (another) this.#build();
    this.title.textContent = plain(view.title.text);
    this.submit.hidden = !view.submit;
    this.submit.textContent = view.submit ? plain(view.submit.text) : "";
    this.closer.textContent = view.close ? plain(view.close.text) : "Cancel";
    this.#blocks(view.blocks, another, before);
    this.#errors(errors);
    if (!this.dialog.open) this.dialog.showModal();
    if (another) (this.#inputs()[0]?.control.node ?? this.closer).focus();
  }

  #build() {
    this.title = h("h2", { id: "modal-title" });
    this.content = h("div", { class: "modal-content", tabindex: 0, role: "region", "aria-labelledby": "modal-title" });
    this.trouble = h("p", { class: "trouble", role: "alert" });
    this.submit = h("button", { type: "submit", class: "button primary" });
    this.closer = h("button", { type: "button", class: "button", onclick: () => this.#close() });
    this.nodes = [];
    this.dialog.replaceChildren(
      h("form", { novalidate: true, oninput: () => this.#typed(), onsubmit: (event) => { event.preventDefault(); this.#submit(); } },
        h("header", {}, h("img", { src: "/static/angel.svg", alt: "", width: 28, height: 28 }), this.title,
          h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => this.#close() }, icon("close"))),
        this.content, this.trouble,
        h("footer", {}, this.closer, this.submit)),
      h("p", { class: "spoken", role: "status", "aria-live": "polite" }),
    );
  }

  // A block that stays the same keeps its node; so does an input whose ids stay, with what was typed in it.
  #blocks(blocks, another, before) {
    const old = new Map(this.nodes.map((each) => [each.key, each]));
    const context = { ...this.context(), typed: (block, action) => this.view.state.values[block]?.[action], press: (...did) => this.#press(...did) };
    const hadFocus = this.dialog.contains(document.activeElement);
    const times = {};
    this.nodes = blocks.map((block) => {
      const what = block.type === "input" ? `${block.block_id} ${block.element.type} ${block.element.action_id}` : JSON.stringify(without(block));
      times[what] = (times[what] ?? 0) + 1;
      const key = `${what} ${times[what]}`;
      return old.get(key) ?? { key, block, node: one(block, context), isNew: true };
    });
    const fresh = this.nodes.filter((each) => each.isNew);
    fresh.forEach((each) => { each.isNew = false; });
    const same = this.content.children.length === this.nodes.length && !fresh.length;
    if (same) return;
    const stay = new Set(this.nodes.map((each) => each.node));
    for (const node of [...this.content.children]) if (!stay.has(node)) node.remove();
    this.nodes.forEach(({ node }, at) => {
      if (this.content.children[at] !== node) this.content.insertBefore(node, this.content.children[at] ?? null);
    });
    if (another) return;
    this.content.scrollTop = 0;
    announce(fresh.filter((each) => each.block.type !== "input").map((each) => each.node.textContent).join(" ").slice(0, 600));
    if (hadFocus && !this.dialog.contains(document.activeElement)) (this.#inputs()[0]?.control.node ?? this.closer).focus();
  }

  #inputs() {
    return this.nodes.map((each) => each.node).filter((node) => node.control);
  }

  #values() {
    return Object.fromEntries(this.#inputs().map(({ control }) => [control.block.element.action_id, control.read()]));
  }

  #errors(errors) {
    const shown = JSON.stringify(errors);
    for (const node of this.#inputs()) showError(node, errors[node.control.block.block_id]);
    if (shown !== this.shownErrors && shown !== "{}") this.dialog.querySelector("[aria-invalid]")?.focus();
    this.shownErrors = shown;
  }

  #typed() {
    clearTimeout(this.filling);
    const view = this.view.id;
    this.filling = setTimeout(() => act({ do: "fill", view, values: this.#values() }), FILL_MS);
  }

  async #press(element, value) {
    clearTimeout(this.filling);
    this.complain(null);
    const trouble = await act({ do: "press", view: this.view.id, action_id: element.action_id, value: value ?? null, values: this.#values() });
    if (trouble) this.complain(trouble);
  }

  async #submit() {
    clearTimeout(this.filling);
    if (this.submit.hidden || this.submit.getAttribute("aria-disabled")) return;
    const empty = this.#inputs().filter(({ control }) => !control.block.optional && !control.read()?.length);
    if (empty.length) {
      this.shownErrors = null;
      this.#errors(Object.fromEntries(empty.map(({ control }) => [control.block.block_id, "Please fill in this field."])));
      return;
    }
    const { submit } = this;
    this.complain(null);
    submit.setAttribute("aria-disabled", "true");
    const trouble = await act({ do: "submit", view: this.view.id, values: this.#values() });
    submit.removeAttribute("aria-disabled");
    if (trouble) this.complain(trouble);
  }

  #close() {
    clearTimeout(this.filling);
    const { view } = this;
    this.closed = view.id;
    this.show(null);
    act({ do: "close", view: view.id });
  }

  complain(trouble) {
    this.trouble.textContent = trouble ?? "";
  }
}

// Slack makes up ids where the app gave none; they say nothing about whether a block is still the same.
function without(block) {
  const { block_id: _, ...rest } = block;
  return rest;
}
