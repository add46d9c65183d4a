// Slack's mrkdwn, as nodes.

import { h } from "./dom.js";

const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", angel: "👼", innocent: "😇", eyes: "👀", heart: "❤️",
  pray: "🙏", sparkles: "✨", smile: "😄", slightly_smiling_face: "🙂", tada: "🎉", wave: "👋", zap: "⚡",
  white_check_mark: "✅", warning: "⚠️", hourglass_flowing_sand: "⏳", pencil: "📝",
};
const INLINE = new RegExp(
  [
    "<(?<entity>[^<>\\n]+)>",
    "`(?<code>[^`\\n]+)`",
    "(?<![\\w*])\\*(?=\\S)(?<bold>[^*\\n]*[^*\\s])\\*(?![\\w*])",
    "(?<!\\w)_(?=\\S)(?<italic>[^_\\n]*[^_\\s])_(?!\\w)",
    "(?<![\\w~])~(?=\\S)(?<strike>[^~\\n]*[^~\\s])~(?![\\w~])",
    ":(?<emoji>[a-z0-9_+-]+):",
  ].join("|"),
  "g",
);

export function mrkdwn(text, names) {
  return text.split(/```\n?([\s\S]*?)\n?```/).flatMap((part, at) =>
    at % 2 ? [h("pre", {}, unescape(part))] : lines(part, names),
  );
}

// With emoji shortcodes, as Slack shows plain_text, and nothing else of mrkdwn.
export function plain(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (written, name) => EMOJI[name] ?? written);
}

export function emoji(name) {
  return EMOJI[name] ?? `:${name}:`;
}

export function mention(words) {
  return h("span", { class: "mention" }, words);
}

// Only addresses that lead somewhere else; a `javascript:` one stays the text that it is.
export function link(url, label) {
  if (!/^(https?:|mailto:)/i.test(url)) return label ?? url;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label ?? url);
}

function lines(text, names) {
  const nodes = [];
  for (const run of runs(text)) {
    const content = run.lines.flatMap((line, at) => (at ? [h("br"), ...inline(line, names)] : inline(line, names)));
    nodes.push(...(run.quote ? [h("blockquote", {}, content)] : content));
  }
  return nodes;
}

function runs(text) {
  const found = [];
  for (const line of text.split("\n")) {
    const quote = line.startsWith("&gt;") || line.startsWith("> ");
    const last = found.at(-1);
    const bare = quote ? line.replace(/^(&gt;|>) ?/, "") : line;
    if (last?.quote === quote) last.lines.push(bare);
    else found.push({ quote, lines: [bare] });
  }
  return found;
}

function inline(text, names) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(unescape(text.slice(end, match.index)), marked(match, names));
    end = match.index + match[0].length;
  }
  nodes.push(unescape(text.slice(end)));
  return nodes.flat().filter((node) => node !== "");
}

function marked({ 0: written, groups }, names) {
  if (groups.entity !== undefined) return entity(groups.entity, names);
  if (groups.code !== undefined) return h("code", {}, unescape(groups.code));
  if (groups.bold !== undefined) return h("strong", {}, inline(groups.bold, names));
  if (groups.italic !== undefined) return h("em", {}, inline(groups.italic, names));
  if (groups.strike !== undefined) return h("s", {}, inline(groups.strike, names));
  return EMOJI[groups.emoji] ?? written;
}

function entity(inside, names) {
  const at = inside.indexOf("|");
  const target = at < 0 ? inside : inside.slice(0, at);
  const label = at < 0 ? undefined : unescape(inside.slice(at + 1));
  if (target.startsWith("@")) return mention(`@${names.users(target.slice(1)) ?? label}`);
  if (target.startsWith("#")) return mention(`#${names.channels(target.slice(1)) ?? label}`);
  if (/^!(here|channel|everyone)$/.test(target)) return mention(`@${target.slice(1)}`);
  if (target.startsWith("!")) return mention(label ?? target.slice(1));
  return link(unescape(target), label);
}

function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
