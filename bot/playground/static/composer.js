// The field at the foot of a channel or thread.

import { fresh, h, icon } from "./dom.js";
import { menuButton } from "./menu.js";

const COMMAND = /^\/(\S+)(?:\s+([\s\S]*))?$/;

export class Composer {
  // `does` is what can be done: {commands(), shortcuts(), run(shortcut), post(text), command(name, text)}; the last two
  // give what went wrong, or null. In a thread there are no commands, as in Slack.
  constructor(place, does, { inThread = false } = {}) {
    this.does = does;
    this.inThread = inThread;
    const list = fresh("commands");
    this.field = h("textarea", { rows: 1, "aria-describedby": `${list}-keys`, autocomplete: "off", spellcheck: "true", oninput: () => this.#changed(), onkeydown: (event) => this.#key(event), onblur: () => this.#offer(null) });
    if (!inThread) {
      for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list]]) this.field.setAttribute(name, value);
    }
    this.offers = h("ul", { id: list, role: "listbox", class: "offers", "aria-label": "Commands", hidden: true });
    this.trouble = h("p", { class: "trouble", role: "alert" });
    this.hint = h("p", { class: "usage" });
    const shortcuts = menuButton(
      h("button", { type: "button", class: "plain", "aria-label": "Shortcuts", title: "Shortcuts" }, icon("bolt")),
      () => does.shortcuts().map((shortcut) => ({ label: shortcut.name, about: shortcut.description, pick: () => does.run(shortcut) })),
    );
    this.button = h("button", { type: "submit", class: "send", "aria-label": "Send" }, icon("send"));
    place.replaceChildren(
      h("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.send(); } },
        this.trouble, this.offers,
        h("div", { class: "box" }, this.field,
          h("div", { class: "bar" }, shortcuts, this.hint,
            h("span", { class: "keys", id: `${list}-keys` }, inThread ? "" : h("span", {}, h("kbd", {}, "/"), " command  "), h("kbd", {}, "Enter"), " sends  ", h("kbd", {}, "Shift+Enter"), " new line"),
            this.button))),
    );
    this.#changed();
  }

  call(name) {
    this.field.setAttribute("placeholder", name);
    this.field.setAttribute("aria-label", name);
  }

  focus() {
    this.field.focus();
  }

  complain(text) {
    this.trouble.textContent = text ?? "";
  }

  async send() {
    const text = this.field.value;
    if (!text.trim()) return;
    const command = COMMAND.exec(text.trim());
    if (command && this.inThread) return this.complain("Slash commands don’t work in threads, here as in Slack. “Write with Angel” does: it is behind ⚡.");
    const name = command && `/${command[1]}`;
    if (command && !this.does.commands().some((each) => each.command === name)) {
      const known = this.does.commands().map((each) => each.command).join(", ");
      return this.complain(`${name} is not a command here. ${known} is. What begins with / is read as a command.`);
    }
    this.#set("");
    const trouble = await (command ? this.does.command(name, command[2] ?? "") : this.does.post(text));
    // What could not be sent is not lost.
    if (trouble && !this.field.value) this.#set(text);
    if (trouble) this.complain(trouble);
  }

  // As if somebody had typed it and pressed Enter.
  type(text) {
    this.#set(text);
    return this.send();
  }

  #set(text) {
    this.field.value = text;
    this.#changed();
  }

  #changed() {
    this.complain(null);
    const text = this.field.value;
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, 200)}px`;
    this.button.disabled = !text.trim();
    const commands = this.inThread ? [] : this.does.commands();
    this.#offer(/^\/\S*$/.test(text) ? commands.filter((each) => each.command.startsWith(text)) : null);
    const begun = commands.find((each) => text.startsWith(`${each.command} `));
    this.hint.textContent = begun ? `${begun.command} ${begun.usage_hint ?? ""}` : "";
  }

  #offer(commands) {
    this.offers.hidden = !commands?.length;
    this.at = 0;
    if (!this.inThread) this.field.setAttribute("aria-expanded", String(!this.offers.hidden));
    this.offers.replaceChildren(...(commands ?? []).map((each, at) =>
      h("li", { role: "option", id: `${this.offers.id}-${at}`, "data-command": each.command, onmousedown: (event) => { event.preventDefault(); this.#take(each.command); } },
        h("strong", {}, each.command), " ", h("code", {}, each.usage_hint ?? ""), h("small", {}, each.description))));
    this.#mark();
  }

  #mark() {
    [...this.offers.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === this.at)));
    if (this.offers.hidden) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `${this.offers.id}-${this.at}`);
  }

  #take(command) {
    this.#set(`${command} `);
    this.focus();
  }

  #key(event) {
    // While a word is being put together in another script, Enter belongs to that.
    if (event.isComposing) return;
    const offered = this.offers.hidden ? [] : [...this.offers.children].map((option) => option.dataset.command);
    if (offered.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + offered.length) % offered.length;
      this.#mark();
    } else if (offered.length && event.key === "Escape") {
      event.preventDefault();
      this.#offer(null);
    } else if (offered.length && (event.key === "Tab" || event.key === "Enter") && !event.shiftKey && this.field.value !== offered[this.at]) {
      event.preventDefault();
      this.#take(offered[this.at]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }
}
