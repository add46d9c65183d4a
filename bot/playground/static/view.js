// The blocks of a view, with what is typed in them: those of a modal, and those of the Home tab.

import { one, showError } from "./blocks.js";
import { announce } from "./dom.js";
import { act } from "./wire.js";

const FILL_MS = 250;

export class ViewBlocks {
  // `content` is the node that holds them; `context` as for blocks, without what a view knows itself; `complain` says
  // what went wrong.
  constructor(content, context, complain) {
    this.content = content;
    this.context = context;
    this.complain = complain;
    this.nodes = [];
    content.addEventListener("input", () => this.#typed());
  }

  // A block that stays the same keeps its node; so does an input whose ids stay, with what was typed in it.
  show(view, { afresh = false } = {}) {
    this.view = view;
    if (afresh) this.nodes = [];
    const old = new Map(this.nodes.map((each) => [each.key, each]));
    const context = { ...this.context(), typed: (block, action) => this.view.state.values[block]?.[action], press: (...did) => this.#press(...did) };
    const times = {};
    this.nodes = view.blocks.map((block) => {
      const what = block.type === "input" ? `${block.block_id} ${block.element.type} ${block.element.action_id}` : JSON.stringify(without(block));
      times[what] = (times[what] ?? 0) + 1;
      const key = `${what} ${times[what]}`;
      return old.get(key) ?? { key, block, node: one(block, context), isNew: true };
    });
    const fresh = this.nodes.filter((each) => each.isNew);
    fresh.forEach((each) => { each.isNew = false; });
    if (this.content.children.length === this.nodes.length && !fresh.length) return;
    const stay = new Set(this.nodes.map((each) => each.node));
    for (const node of [...this.content.children]) if (!stay.has(node)) node.remove();
    this.nodes.forEach(({ node }, at) => {
      if (this.content.children[at] !== node) this.content.insertBefore(node, this.content.children[at] ?? null);
    });
    if (afresh) return;
    this.content.scrollTop = 0;
    announce(fresh.filter((each) => each.block.type !== "input").map((each) => each.node.textContent).join(" ").slice(0, 600));
  }

  inputs() {
    return this.nodes.map((each) => each.node).filter((node) => node.control);
  }

  values() {
    clearTimeout(this.filling);
    return Object.fromEntries(this.inputs().map(({ control }) => [control.block.element.action_id, control.read()]));
  }

  errors(errors) {
    for (const node of this.inputs()) showError(node, errors[node.control.block.block_id]);
  }

  // What nobody has filled in, as errors by block id.
  missing() {
    const empty = this.inputs().filter(({ control }) => !control.block.optional && !control.read()?.length);
    return Object.fromEntries(empty.map(({ control }) => [control.block.block_id, "Please fill in this field."]));
  }

  #typed() {
    clearTimeout(this.filling);
    const view = this.view.id;
    this.filling = setTimeout(() => act({ do: "fill", view, values: this.values() }), FILL_MS);
  }

  async #press(element, value, button) {
    this.complain(null);
    button?.setAttribute("aria-busy", "true");
    const trouble = await act({ do: "press", view: this.view.id, action_id: element.action_id, value: value ?? null, values: this.values() });
    button?.removeAttribute("aria-busy");
    if (trouble) this.complain(trouble);
  }
}

// Slack makes up ids where the app gave none; they say nothing about whether a block is still the same.
function without(block) {
  const { block_id: _, ...rest } = block;
  return rest;
}
