// Puts the page together.

import { h, icon } from "./dom.js";
import { Composer } from "./composer.js";
import { Home } from "./home.js";
import { MessageList, avatar } from "./messages.js";
import { Modal } from "./modal.js";
import { Traffic } from "./traffic.js";
import { act, keyboard, listen, model } from "./wire.js";
import { Workspace } from "./workspace.js";

const $ = (id) => document.getElementById(id);
let workspace = null;

// Where one is stands in the address, so that a reload and the back button know it: #channel, #channel/thread or #home.
const here = () => {
  const [channel, thread] = location.hash.slice(1).split("/");
  const known = workspace.channels.has(channel) ? channel : workspace.channels.keys().next().value;
  return { channel: known, thread, home: channel === "home" && workspace.app.has_home };
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
const home = new Home($("home"), modalContext);
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
  const { channel, thread, home: atHome } = here();
  const place = workspace.channels.get(channel);
  for (const id of ["scroll", "say"]) $(id).hidden = atHome;
  $("home").hidden = !atHome;
  $("try").hidden = atHome || !workspace.drafts.length;
  modal.show(workspace.view, workspace.errors);
  if (!$("traffic").hidden) traffic.show(workspace.traffic);
  if (atHome) {
    $("place-name").textContent = workspace.app.name;
    $("place-about").textContent = "Home, which only you see";
    document.title = `Home · Angel’s playground`;
    $("thread").hidden = true;
    home.show(workspace.home, workspace.app.name);
    drawPlaces("home", null);
    return;
  }
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
}

// Slack tells the app each time that somebody comes to its Home.
async function arrive() {
  if (here().home) home.complain(await act({ do: "open_home" }));
}

// Another workspace is another page: its people, its places, and what the app is there.
function switchTo(user) {
  sessionStorage.setItem("keyboard", user);
  history.replaceState(null, "", location.pathname);
  location.reload();
}

// Whoever sits at the keyboard of this tab.
function seated(signedIn) {
  const user = sessionStorage.getItem("keyboard");
  return signedIn.includes(user) ? user : signedIn[0];
}

const isMember = (place) => place.members.some((member) => workspace.users.get(member)?.is_bot);
// The app's direct messages are there once it has been looked at, and in Slack's list once something was said.
const isSilent = (place) => isMember(place) && !workspace.messages(place.id).length;
const ABOUT = {
  channel: (place) => `${place.members.length} members${isMember(place) ? "" : ", Angel is none of them"}`,
  group: (place) => `Private, ${place.members.length} members, Angel is none of them`,
  im: () => "Just the two of you",
};

function drawPlaces(current, thread) {
  const groups = [["Channels", (place) => place.kind !== "im"], ["Direct messages", (place) => place.kind === "im" && !isSilent(place)]];
  const threads = workspace.threads();
  const key = `${current} ${thread} ${[...workspace.channels.keys()]} ${threads.map((each) => each.ts)} ${[...workspace.channels.values()].filter(isSilent).map((each) => each.id)}`;
  if (drawPlaces.drawn === key) return;
  drawPlaces.drawn = key;
  const focused = document.activeElement?.closest(".places a")?.getAttribute("href");
  $("places").replaceChildren(...groups.flatMap(([title, belongs]) => [
    h("h2", {}, title),
    h("ul", {}, [...workspace.channels.values()].filter(belongs).map((place) => h("li", {}, placeLink(place, thread ? null : current)))),
  ]),
  ...(workspace.app.has_home ? [h("h2", {}, "Apps"), h("ul", {}, h("li", {}, h("a", { href: "#home", "aria-current": current === "home" ? "page" : null, onclick: () => showPlaces(false) },
    h("span", { class: "sign", "aria-hidden": "true" }, avatar({ is_bot: true })), workspace.app.name)))] : []),
  h("h2", {}, "Threads"),
  h("ul", {}, threads.map((message) => h("li", {}, threadLink(message, thread)))),
  h("p", { class: "you" }, avatar(workspace.users.get(workspace.you)), h("span", {}, "You are ", h("strong", {}, workspace.users.get(workspace.you).real_name), ` in ${workspace.teamName(workspace.you)}`)),
  h("p", { class: "switch" }, workspace.signedIn.filter((user) => user !== workspace.you).map((user) =>
    h("button", { type: "button", class: "plain", onclick: () => switchTo(user) }, `Switch to ${workspace.teamName(user)}`))));
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
    h("li", {}, h("button", { type: "button", onclick: () => { $("try").open = false; tried(draft); say.type(`/angel ${draft}`); say.focus(); } }, draft))));
  if (workspace.opening) tried(workspace.opening);
  $("try").open = !workspace.shown.size;
}

// Slack takes a command out of sight; who tries one wants to see what the answer is about.
function tried(draft) {
  $("tried").replaceChildren("You typed ", h("code", {}, "/angel"), ` ${draft} `);
  $("invitation").textContent = "Try another";
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
  arrive();
  if (here().home) $("home").focus();
  else (here().thread && !$("thread").hidden ? reply : say).focus();
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
    keyboard.user = seated(event.signed_in);
    workspace = new Workspace(event, keyboard.user);
    drawPlaces.drawn = null;
    drawDrafts();
    draw();
    arrive();
    ask();
  } else {
    workspace.apply(event);
    draw();
    if (event.type === "error" && event.user === workspace.you) tell(failure(event));
  }
}, () => { $("stopped").hidden = false; });
