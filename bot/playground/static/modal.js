// The modal in front of a person. It is the local Slack's, and updated in place.

import { h, icon } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { ViewBlocks } from "./view.js";
import { act } from "./wire.js";

export class Modal {
  constructor(dialog, context, back) {
    this.dialog = dialog;
    this.context = context;
    this.back = back;
    this.view = null;
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
        this.back();
      }
      return;
    }
    const another = this.view?.id !== view.id;
    this.view = view;
    if (another) this.#build();
    this.title.textContent = plain(view.title.text);
    this.submit.hidden = !view.submit;
    this.submit.textContent = view.submit ? plain(view.submit.text) : "";
    this.closer.textContent = view.close ? plain(view.close.text) : "Cancel";
    const hadFocus = this.dialog.contains(document.activeElement);
    this.blocks.show(view, { afresh: another });
    if (!another && hadFocus && !this.dialog.contains(document.activeElement)) this.#first().focus();
    this.#errors(errors);
    if (!this.dialog.open) this.dialog.showModal();
    if (another) this.#first().focus();
  }

  #build() {
    this.title = h("h2", { id: "modal-title" });
    const content = h("div", { class: "modal-content", tabindex: 0, role: "region", "aria-labelledby": "modal-title" });
    this.blocks = new ViewBlocks(content, this.context, (trouble) => this.complain(trouble));
    this.trouble = h("p", { class: "trouble", role: "alert" });
    this.submit = h("button", { type: "submit", class: "button primary" });
    this.closer = h("button", { type: "button", class: "button", onclick: () => this.#close() });
    this.dialog.replaceChildren(
      h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); this.#submit(); } },
        h("header", {}, h("img", { src: "static/angel.svg", alt: "", width: 28, height: 28 }), this.title,
          h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => this.#close() }, icon("close"))),
        content, this.trouble,
        h("footer", {}, this.closer, this.submit)),
      h("p", { class: "spoken", role: "status", "aria-live": "polite" }),
    );
  }

  #first() {
    return this.blocks.inputs()[0]?.control.node ?? this.closer;
  }

  #errors(errors) {
    const shown = JSON.stringify(errors);
    this.blocks.errors(errors);
    if (shown !== this.shownErrors && shown !== "{}") this.dialog.querySelector("[aria-invalid]")?.focus();
    this.shownErrors = shown;
  }

  async #submit() {
    if (this.submit.hidden || this.submit.getAttribute("aria-disabled")) return;
    const missing = this.blocks.missing();
    if (Object.keys(missing).length) {
      this.shownErrors = null;
      this.#errors(missing);
      return;
    }
    const { submit } = this;
    this.complain(null);
    submit.setAttribute("aria-disabled", "true");
    const trouble = await act({ do: "submit", view: this.view.id, values: this.blocks.values() });
    submit.removeAttribute("aria-disabled");
    if (trouble) this.complain(trouble);
  }

  #close() {
    clearTimeout(this.blocks.filling);
    const { view } = this;
    this.closed = view.id;
    this.show(null);
    act({ do: "close", view: view.id });
  }

  complain(trouble) {
    this.trouble.textContent = trouble ?? "";
  }
}
