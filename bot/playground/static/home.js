// The app's Home tab, in the place of a channel's messages.

import { h } from "./dom.js";
import { ViewBlocks } from "./view.js";

export class Home {
  constructor(place, context) {
    this.content = h("div", { class: "home-content" });
    this.trouble = h("p", { class: "trouble", role: "alert" });
    this.empty = h("p", { class: "home-empty" });
    this.blocks = new ViewBlocks(this.content, context, (trouble) => this.complain(trouble));
    place.replaceChildren(this.empty, this.content, this.trouble);
  }

  show(view, app) {
    this.empty.hidden = Boolean(view);
    this.empty.textContent = `${app} has published nothing here yet.`;
    if (view) this.blocks.show(view);
  }

  complain(trouble) {
    this.trouble.textContent = trouble ?? "";
  }
}
