// Puts the page together.

import { h, icon } from "./dom.js";
import { Composer } from "./composer.js";
import { MessageList, avatar } from "./messages.js";
import { Modal } from "./modal.js";
import { Traffic } from "./traffic.js";
import { act, listen, model } from "./wire.js";
import { Workspace } from "./workspace.js";

const $ = (id) => document.getElementById(id);
let workspace = null;

// Where one is stands in the address, so that a reload and the back button know it: #channel or #channel/thread.
const here = () => {
  const [channel, thread] = location.hash.slice(1).split("/");
  return { channel: workspace.channels.has(channel) ? channel : workspace.channels.keys().next().value, thread };
};
const go = (channel, thread) => { location.hash = thread ? `${channel}/${thread}` : channel; };

const shortcuts = (type) => () => workspace.shortcuts.filter((shortcut) => shortcut.type === type);
const ofMessages = {
  shortcuts: shortcuts("message"),
  open: (ts) => { go(here().channel, ts); },
  run: async (shortcut, message) =>
    tell(await act({ do: "message_shortcut", callback_id: shortcut.callback_id, channel: message.channel, ts: message.ts })),
  press: async (message, element, value, button) => {
    button?.setAttribute("aria-busy", "true");
    tell(await act({ do: "press", channel: message.channel, ts: message.ts, action_id: element.action_id, value: value ?? null }));
    button?.removeAttribute("aria-busy");
  },
};
const ofComposers = {
  commands: () => workspace?.commands ?? [],
  shortcuts: shortcuts("global"),
  run: async (shortcut) => tell(await act({ do: "global_shortcut", callback_id: shortcut.callback_id })),
  command: (command, text) => act({ do: "command", channel: here().channel, command, text }),
};
const messages = new MessageList($("messages"), $("scroll"), ofMessages);
const replies = new MessageList($("replies"), $("thread-scroll"), ofMessages);
const say = new Composer($("say"), { ...ofComposers, post: (text) => act({ do: "post", channel: here().channel, text }) });
const reply = new Composer($("reply"), { ...ofComposers, post: (text) => act({ do: "post", channel: here().channel, text, thread_ts: here().thread }) }, { inThread: true });
const traffic = new Traffic($("traffic-list"));
const modal = new Modal($("modal"), modalContext, () => document.activeElement === document.body && say.focus());

function modalContext() {
  return {
    names: { users: (id) => workspace.userName(id), channels: (id) => workspace.channelName(id) },
    places: workspace.places(),
    people: workspace.people(),
  };
}

function tell(trouble) {
  if (trouble) ($("modal").open ? modal : say).complain(trouble);
}

// Slack's words to a person whom the app has let down.
const FAILED = {
  operation_timeout: "took longer than Slack’s three seconds to answer",
  dispatch_failed: "could not be reached",
};
const failure = ({ about, error }) => `${about} did not work: Angel ${FAILED[error] ?? "answered with something Slack can’t use"} (${error}).`;

function draw() {
  const { channel, thread } = here();
  const place = workspace.channels.get(channel);
  const name = workspace.placeName(place);
  $("place-name").replaceChildren(place.kind === "group" ? icon("lock") : "", place.kind === "group" ? place.name : name);
  $("place-about").textContent = ABOUT[place.kind](place);
  document.title = `${name} · Angel’s playground`;
  say.call(`Message ${name}`);
  messages.show(channel, workspace.messages(channel), workspace);
  const inThread = thread ? workspace.thread(channel, thread) : [];
  $("thread").hidden = !inThread.length;
  if (inThread.length) {
    $("thread-name").textContent = `Thread in ${name}`;
    reply.call("Reply in the thread");
    replies.show(`${channel}/${thread}`, inThread, workspace, { inThread: true });
  }
  drawPlaces(channel, inThread[0]?.ts);
  modal.show(workspace.view, workspace.errors);
  if (!$("traffic").hidden) traffic.show(workspace.traffic);
}

const isMember = (place) => place.members.includes([...workspace.users.values()].find((user) => user.is_bot).id);
const ABOUT = {
  channel: (place) => `${place.members.length} members${isMember(place) ? "" : ", Angel is none of them"}`,
  group: (place) => `Private, ${place.members.length} members, Angel is none of them`,
  im: () => "Just the two of you",
};

function drawPlaces(current, thread) {
  const groups = [["Channels", (place) => place.kind !== "im"], ["Direct messages", (place) => place.kind === "im"]];
  const threads = workspace.threads();
  const key = `${current} ${thread} ${[...workspace.channels.keys()]} ${threads.map((each) => each.ts)}`;
  if (drawPlaces.drawn === key) return;
  drawPlaces.drawn = key;
  const focused = document.activeElement?.closest(".places a")?.getAttribute("href");
  $("places").replaceChildren(...groups.flatMap(([title, belongs]) => [
    h("h2", {}, title),
    h("ul", {}, [...workspace.channels.values()].filter(belongs).map((place) => h("li", {}, placeLink(place, thread ? null : current)))),
  ]),
  h("h2", {}, "Threads"),
  h("ul", {}, threads.map((message) => h("li", {}, threadLink(message, thread)))),
  h("p", { class: "you" }, avatar(workspace.users.get(workspace.you)), h("span", {}, "You are ", h("strong", {}, workspace.users.get(workspace.you).real_name))));
  if (focused) $("places").querySelector(`a[href="${focused}"]`)?.focus();
}

function placeLink(place, current) {
  const other = workspace.users.get(place.members.find((member) => member !== workspace.you));
  const sign = { channel: "#", group: icon("lock"), im: avatar(other) }[place.kind];
  const name = place.kind === "im" ? other.real_name : place.name;
  return h("a", { href: `#${place.id}`, "aria-current": place.id === current ? "page" : null, onclick: () => showPlaces(false) },
    h("span", { class: "sign", "aria-hidden": "true" }, sign), name);
}

function threadLink(message, current) {
  const author = workspace.users.get(message.user).real_name.split(" ")[0];
  const place = workspace.placeName(workspace.channels.get(message.channel));
  return h("a", { href: `#${message.channel}/${message.ts}`, "aria-current": message.ts === current ? "page" : null, onclick: () => showPlaces(false) },
    h("span", { class: "sign", "aria-hidden": "true" }, icon("thread")), h("span", {}, `${author} in ${place}`));
}

function drawDrafts() {
  $("drafts").replaceChildren(...workspace.drafts.map((draft) =>
    h("li", {}, h("button", { type: "button", onclick: () => { $("try").open = false; say.type(`/angel ${draft}`); say.focus(); } }, draft))));
  $("try").hidden = !workspace.drafts.length;
  $("try").open = !workspace.shown.size;
}

function showPlaces(shown) {
  document.body.classList.toggle("places-shown", shown);
  $("show-places").setAttribute("aria-expanded", String(shown));
}

function showTraffic(shown) {
  $("traffic").hidden = !shown;
  $("show-traffic").setAttribute("aria-expanded", String(shown));
  if (shown) {
    traffic.show(workspace?.traffic ?? []);
    $("close-traffic").focus();
  } else $("show-traffic").focus();
}

$("show-places").append(icon("lines"));
$("show-places").addEventListener("click", () => showPlaces(!document.body.classList.contains("places-shown")));
$("show-traffic").append(icon("braces"), h("span", {}, "Payloads"));
$("show-traffic").addEventListener("click", () => showTraffic($("traffic").hidden));
$("close-traffic").append(icon("close"));
$("close-traffic").addEventListener("click", () => showTraffic(false));
$("clear-traffic").addEventListener("click", () => traffic.clear());
$("close-thread").append(icon("close"));
$("close-thread").addEventListener("click", () => { go(here().channel); say.focus(); });
$("skip").addEventListener("click", (event) => { event.preventDefault(); say.focus(); });
window.addEventListener("hashchange", () => {
  if (!workspace) return;
  draw();
  (here().thread && !$("thread").hidden ? reply : say).focus();
});

function ask() {
  model().then((name) => {
    $("answering").textContent = `Answering: ${name}`;
    $("ready").classList.add("on");
  }, () => setTimeout(ask, 2000));
}

listen((event) => {
  if (event.type === "snapshot") {
    $("stopped").hidden = true;
    workspace = new Workspace(event);
    drawPlaces.drawn = null;
    drawDrafts();
    draw();
    ask();
  } else {
    workspace.apply(event);
    draw();
    if (event.type === "error" && event.user === workspace.you) tell(failure(event));
  }
}, () => { $("stopped").hidden = false; });
