// Block Kit, rendered from the JSON that Slack would get.
//
// `context` is how it stands where the blocks are:
//   names      {users(id), channels(id)}: what mentions are called
//   places     [{id, name}] to choose from where a conversation is picked
//   people     [{id, name}] likewise
//   typed      (block_id, action_id) -> the state of an input, as Slack has it
//   press      (element, value) -> a button, menu or option was used

import { confirmed } from "./confirm.js";
import { copied, fresh, h, icon } from "./dom.js";
import { emoji, link, mention, mrkdwn, plain } from "./mrkdwn.js";

export function rendered(blocks, context) {
  return blocks.map((block) => one(block, context));
}

export function one(block, context) {
  const node = (BLOCKS[block.type] ?? unsupported)(block, context);
  node.classList.add("block", `block-${block.type}`);
  return node;
}

const BLOCKS = {
  section: (block, context) =>
    h("div", {},
      h("div", { class: "section-text" },
        block.text && text(block.text, context),
        block.fields && h("div", { class: "fields" }, block.fields.map((field) => text(field, context)))),
      block.accessory && element(block.accessory, block, context)),
  header: (block) => h("h3", {}, plain(block.text.text)),
  divider: () => h("hr"),
  context: (block, context) =>
    h("div", {}, block.elements.map((each) => text(each, context))),
  actions: (block, context) => h("div", {}, block.elements.map((each) => element(each, block, context))),
  rich_text: (block, context) => h("div", {}, block.elements.map((each) => rich(each, context))),
  input,
};

function text(object, context) {
  if (object.type === "mrkdwn") return h("div", { class: "mrkdwn" }, mrkdwn(object.text, context.names));
  return h("div", { class: "plain-text" }, object.emoji === false ? object.text : plain(object.text));
}

function unsupported(thing) {
  return h("div", { class: "unsupported" }, `Unsupported here: ${thing.type}`);
}

// Elements

function element(object, block, context) {
  return (ELEMENTS[object.type] ?? unsupported)(object, block, context);
}

const ELEMENTS = {
  button: (object, block, context) => {
    if (object.url) return h("a", { class: "button", href: safe(object.url), target: "_blank", rel: "noopener noreferrer", onclick: () => context.press(object, object.value) }, plain(object.text.text));
    return pressable(object, object.value, context, ["button", object.style], label(object.text));
  },
};
for (const kind of ["static_select", "conversations_select", "multi_conversations_select", "multi_users_select"]) {
  ELEMENTS[kind] = (object, block, context) => {
    const control = CONTROLS[kind](object, block, context, { "aria-label": object.placeholder ? plain(object.placeholder.text) : "Choose" });
    control.node.addEventListener("change", async () => (await confirmed(object, context.names)) && context.press(object, control.read()));
    return control.node;
  };
}

function pressable(object, value, context, classes, ...content) {
  return h("button", {
    type: "button",
    class: classes.filter(Boolean).join(" "),
    "aria-label": object.accessibility_label,
    "data-action": object.action_id,
    onclick: async ({ currentTarget }) => (await confirmed(object, context.names)) && context.press(object, value, currentTarget),
  }, content);
}

// Thumbs are drawn: not every machine has a font with emoji.
const THUMBS = { "👍": "up", "👎": "down" };

function label(object) {
  const words = plain(object.text);
  return THUMBS[words] ? [icon(THUMBS[words]), !object.accessibility_label && h("span", { class: "spoken" }, words)] : words;
}

const safe = (url) => (/^https?:/i.test(url) ? url : null);

// Inputs. A control is {node, read() -> what the local Slack takes for it}.

const CONTROLS = {
  plain_text_input: (object, block, context, attributes) => {
    const node = h(object.multiline ? "textarea" : "input", {
      ...attributes,
      type: object.multiline ? null : "text",
      rows: object.multiline ? 4 : null,
      maxlength: object.max_length,
      placeholder: object.placeholder && plain(object.placeholder.text),
      autocomplete: "off",
    });
    node.value = context.typed(block.block_id, object.action_id)?.value ?? "";
    return { node, read: () => node.value };
  },
  static_select: (object, block, context, attributes) => {
    const chosen = context.typed(block.block_id, object.action_id)?.selected_option?.value;
    const option = (each) => h("option", { value: each.value, selected: each.value === chosen }, plain(each.text.text));
    return choice(object, attributes, chosen, [
      ...(object.options ?? []).map(option),
      ...(object.option_groups ?? []).map((group) => h("optgroup", { label: plain(group.label.text) }, group.options.map(option))),
    ]);
  },
  conversations_select: (object, block, context, attributes) => {
    const chosen = context.typed(block.block_id, object.action_id)?.selected_conversation;
    const options = context.places.map((place) => h("option", { value: place.id, selected: place.id === chosen }, place.name));
    return choice(object, attributes, chosen, options);
  },
  multi_conversations_select: (object, block, context, attributes) => {
    const chosen = context.typed(block.block_id, object.action_id)?.selected_conversations ?? object.initial_conversations ?? [];
    return several(object, attributes, chosen, context.places);
  },
  multi_users_select: (object, block, context, attributes) => {
    const chosen = context.typed(block.block_id, object.action_id)?.selected_users ?? object.initial_users ?? [];
    return several(object, attributes, chosen, context.people);
  },
};

function choice(object, attributes, chosen, options) {
  const nothing = chosen ? null : h("option", { value: "" }, object.placeholder ? plain(object.placeholder.text) : "Choose…");
  const node = h("select", { ...attributes, "data-action": object.action_id }, nothing, options);
  return { node, read: () => node.value || null };
}

function several(object, attributes, chosen, offered) {
  const node = h("div", { ...attributes, role: "group", class: "boxes", "data-action": object.action_id },
    offered.map(({ id, name }) => h("label", {}, h("input", { type: "checkbox", value: id, checked: chosen.includes(id) }), " ", name)));
  return { node, read: () => [...node.querySelectorAll(":checked")].map((each) => each.value) };
}

function input(block, context) {
  const make = CONTROLS[block.element.type];
  if (!make) return unsupported(block.element);
  const id = fresh("input");
  const control = make(block.element, block, context, { id, "data-action": block.element.action_id, "aria-describedby": `${id}-hint ${id}-error`, "aria-required": block.optional ? null : "true" });
  const group = control.node.getAttribute("role");
  if (group) control.node.setAttribute("aria-labelledby", `${id}-label`);
  const label = [plain(block.label.text), block.optional && h("span", { class: "optional" }, " (optional)")];
  const node = h("div", {},
    group ? h("span", { class: "label", id: `${id}-label` }, label) : h("label", { class: "label", for: id }, label),
    control.node,
    h("p", { class: "hint", id: `${id}-hint` }, block.hint ? plain(block.hint.text) : null),
    h("p", { class: "error", id: `${id}-error` }));
  node.control = { ...control, block };
  if (block.dispatch_action) dispatches(node.control, context);
  return node;
}

// An input that tells the app at once: a choice as it is made, a text when Enter is pressed.
function dispatches({ node, read, block: { element: object } }, context) {
  const press = async () => (await confirmed(object, context.names)) && context.press(object, read());
  if (object.type !== "plain_text_input") node.addEventListener("change", press);
  else {
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      press();
    });
  }
}

// Puts an error under an input, or takes it away.
export function showError(node, error) {
  const { control } = node;
  node.querySelector(".error").textContent = error ?? "";
  if (error) control.node.setAttribute("aria-invalid", "true");
  else control.node.removeAttribute("aria-invalid");
}

// Rich text

function rich(object, context) {
  switch (object.type) {
    case "rich_text_section":
      return h("div", { class: "rich" }, inline(object.elements, context));
    case "rich_text_quote":
      return h("blockquote", {}, inline(object.elements, context));
    case "rich_text_preformatted": {
      const pre = h("pre", {}, inline(object.elements, context));
      const button = h("button", { type: "button", class: "copy" }, icon("copy"), h("span", {}, "Copy"));
      button.addEventListener("click", () => copied(pre.textContent, button));
      return h("div", { class: "preformatted" }, pre, button);
    }
    case "rich_text_list": {
      const items = object.elements.map((each) => h("li", {}, inline(each.elements, context)));
      const list = h(object.style === "ordered" ? "ol" : "ul", { start: object.offset ? object.offset + 1 : null }, items);
      list.style.marginInlineStart = `${(object.indent ?? 0) * 1.5}rem`;
      return list;
    }
  }
  return unsupported(object);
}

const inline = (elements, context) => elements.map((each) => styled(each, word(each, context)));

function word(object, { names }) {
  switch (object.type) {
    case "text": return object.text;
    case "link": return link(object.url, object.text);
    case "user": return mention(`@${names.users(object.user_id)}`);
    case "channel": return mention(`#${names.channels(object.channel_id)}`);
    case "usergroup": return mention(`@${object.usergroup_id}`);
    case "broadcast": return mention(`@${object.range}`);
    case "emoji": return emoji(object.name);
  }
  return unsupported(object);
}

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u", highlight: "mark" };

function styled(object, node) {
  return Object.entries(STYLES).reduce((inner, [style, tag]) => (object.style?.[style] ? h(tag, {}, inner) : inner), node);
}
