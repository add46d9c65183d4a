// Lists of messages: a channel's, and a thread's. A message that stays as it is keeps its node, and with it the focus.

import { rendered } from "./blocks.js";
import { announce, copied, h, icon } from "./dom.js";
import { menuButton } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";

export class MessageList {
  // `does` is what can be done with a message: {press, shortcuts(), run(shortcut, message), open(ts)}.
  constructor(list, scroll, does) {
    this.list = list;
    this.scroll = scroll;
    this.does = does;
    this.nodes = new Map();
    this.where = null;
    this.atEnd = true;
    scroll.addEventListener("scroll", () => { this.atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 48; });
    // Less room, for a pane or a longer draft, takes it from the top.
    new ResizeObserver(() => this.atEnd && scroll.scrollTo(0, scroll.scrollHeight)).observe(scroll);
  }

  show(where, messages, workspace, { inThread = false } = {}) {
    const elsewhere = this.where !== where;
    const atEnd = elsewhere || this.atEnd;
    if (elsewhere) {
      this.list.replaceChildren();
      this.nodes.clear();
      this.where = where;
    }
    const stay = new Set(messages.map((message) => message.ts));
    for (const [ts, { node }] of this.nodes) {
      if (!stay.has(ts)) {
        node.remove();
        this.nodes.delete(ts);
      }
    }
    let before = null;
    let changed = null;
    for (const message of messages) {
      const json = JSON.stringify(message);
      const known = this.nodes.get(message.ts);
      if (known?.json === json) {
        before = known.node;
        continue;
      }
      const node = this.#message(message, workspace, inThread);
      if (known) {
        const hadFocus = known.node.contains(document.activeElement);
        known.node.replaceWith(node);
        // What was pressed is gone; the answer that came of it is what to read next.
        if (hadFocus) node.firstElementChild.focus({ preventScroll: true });
      } else if (before) before.after(node);
      else this.list.prepend(node);
      this.nodes.set(message.ts, { json, node });
      before = node;
      changed = message;
      if (!elsewhere && message.is_ephemeral) announce(`${workspace.users.get(message.user)?.real_name}: ${message.text}`);
    }
    if (!changed) return;
    if (atEnd || (!elsewhere && (changed.is_ephemeral || changed.user === workspace.you))) {
      // To the end, but never past the beginning of what is new.
      const { node } = this.nodes.get(changed.ts);
      this.scroll.scrollTop = Math.min(this.scroll.scrollHeight, node.offsetTop - this.scroll.offsetTop - 8);
    }
  }

  #message(message, workspace, inThread) {
    const author = workspace.users.get(message.user) ?? { real_name: message.user, name: "?", id: message.user };
    const context = {
      names: { users: (id) => workspace.userName(id), channels: (id) => workspace.channelName(id) },
      places: workspace.places(),
      people: workspace.people(),
      typed: (blockId, actionId) => initial(message.blocks, blockId, actionId),
      press: (element, value, button) => this.does.press(message, element, value, button),
    };
    const body = message.blocks?.length ? rendered(message.blocks, context) : [h("div", { class: "block mrkdwn" }, mrkdwn(message.text, context.names))];
    const article = h("article", { tabindex: -1, "aria-label": `${author.real_name}, ${time(message.ts)}` },
      message.is_ephemeral && h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
      avatar(author),
      h("div", { class: "said" },
        h("p", { class: "who" }, h("strong", {}, author.real_name), author.is_bot && h("span", { class: "app-badge" }, "App"), h("time", { datetime: new Date(message.ts * 1000).toISOString() }, time(message.ts))),
        // Slack marks what was changed in its text, and not what was changed in its blocks.
        h("div", { class: "body" }, body, message.edited && !message.blocks?.length && h("small", { class: "edited" }, " (edited)")),
        !inThread && message.reply_count > 0 && h("button", { type: "button", class: "replies", onclick: () => this.does.open(message.ts) }, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`)),
      !message.is_ephemeral && h("div", { class: "tools" }, this.#menu(message, author, workspace.app.name, inThread)));
    return h("li", { class: message.is_ephemeral ? "message ephemeral" : "message" }, article);
  }

  #menu(message, author, app, inThread) {
    const label = `More actions for the message of ${author.real_name}, ${time(message.ts)}`;
    return menuButton(h("button", { type: "button", class: "plain", "aria-label": label }, icon("dots")), () => [
      ...this.does.shortcuts().map((shortcut) => ({ label: shortcut.name, about: app, pick: () => this.does.run(shortcut, message) })),
      ...(inThread ? [] : [{ label: "Reply in thread", pick: () => this.does.open(message.ts) }]),
    ]);
  }
}

// What a menu in a message stands at before anybody has touched it.
function initial(blocks, blockId, actionId) {
  const block = blocks.find((each) => each.block_id === blockId);
  const found = [block.accessory, block.element, ...(block.elements ?? [])].find((each) => each?.action_id === actionId);
  return {
    value: found?.initial_value,
    selected_option: found?.initial_option,
    selected_conversation: found?.initial_conversation,
  };
}

export function avatar(user) {
  if (user.is_bot) return h("img", { class: "avatar", src: "static/angel.svg", alt: "" });
  const initials = user.real_name.split(" ").map((word) => word[0]).join("").slice(0, 2);
  const shade = [...user.id].reduce((sum, letter) => (6 * sum + letter.charCodeAt(0)) % 997, 0) % 5;
  return h("span", { class: `avatar shade-${shade}`, "aria-hidden": "true" }, initials);
}

export function time(ts) {
  const at = new Date(ts * 1000);
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString([], { ...(today ? {} : { weekday: "short" }), hour: "numeric", minute: "2-digit" });
}
