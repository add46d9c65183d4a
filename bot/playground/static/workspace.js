// The workspace as this page knows it: a snapshot, and the events since.

const TRAFFIC = ["delivery", "ack", "api"];
const KEPT = 300;

export class Workspace {
  constructor(snapshot, you) {
    this.you = you;
    this.signedIn = snapshot.signed_in;
    this.teams = new Map(snapshot.teams.map((team) => [team.id, team]));
    this.app = snapshot.app;
    this.users = new Map(snapshot.users.map((user) => [user.id, user]));
    this.channels = new Map(snapshot.channels.filter((each) => each.members.includes(this.you)).map((each) => [each.id, each]));
    this.posted = new Map(snapshot.channels.map(({ id }) => [id, byTs(snapshot.messages[id] ?? [])]));
    this.shown = byTs(snapshot.ephemerals[this.you] ?? []);
    this.view = snapshot.views[this.you] ?? null;
    this.home = snapshot.homes[this.you] ?? null;
    this.errors = snapshot.errors[this.you] ?? {};
    this.commands = snapshot.commands;
    this.shortcuts = snapshot.shortcuts;
    this.drafts = snapshot.drafts;
    this.opening = snapshot.opening;
    this.traffic = snapshot.events;
  }

  apply(event) {
    if (event.user && event.user !== this.you) return;
    if (TRAFFIC.includes(event.type)) this.traffic = [...this.traffic, event].slice(-KEPT);
    switch (event.type) {
      case "message": {
        const place = this.posted.get(event.channel);
        const parent = place.get(event.message.thread_ts);
        place.set(event.message.ts, event.message);
        if (parent && parent.ts !== event.message.ts) {
          place.set(parent.ts, { ...parent, thread_ts: parent.ts, reply_count: (parent.reply_count ?? 0) + 1 });
        }
        break;
      }
      case "ephemeral":
        this.shown.set(event.message.ts, event.message);
        break;
      case "replaced":
        (event.user ? this.shown : this.posted.get(event.channel)).set(event.ts, event.message);
        break;
      case "deleted":
        (event.user ? this.shown : this.posted.get(event.channel)).delete(event.ts);
        break;
      case "view":
        this.view = event.view;
        this.errors = event.errors;
        break;
      case "home":
        this.home = event.view;
        break;
      case "channel":
        if (event.channel.members.includes(this.you)) this.channels.set(event.channel.id, event.channel);
        if (!this.posted.has(event.channel.id)) this.posted.set(event.channel.id, new Map());
        break;
    }
  }

  // What stands in a place, replies aside, in the order of time.
  messages(channel) {
    const posted = [...(this.posted.get(channel)?.values() ?? [])];
    const shown = [...this.shown.values()].filter((message) => message.channel === channel);
    return inTime([...posted.filter((each) => !each.thread_ts || each.thread_ts === each.ts), ...shown]);
  }

  thread(channel, ts) {
    const posted = [...(this.posted.get(channel)?.values() ?? [])];
    return inTime(posted.filter((each) => each.ts === ts || each.thread_ts === ts));
  }

  // What began each thread, with the channel it is in.
  threads() {
    const posted = [...this.channels.keys()].flatMap((channel) => [...this.posted.get(channel).values()]);
    return inTime(posted.filter((message) => message.reply_count > 0));
  }

  // What can be picked: where one is, and who one works with.
  places() {
    return [...this.channels.values()].map((each) => ({ id: each.id, name: this.placeName(each) }));
  }

  people() {
    const team = this.users.get(this.you).team;
    return [...this.users.values()].filter((each) => each.team === team && !each.is_bot).map((each) => ({ id: each.id, name: each.real_name }));
  }

  teamName(user) {
    return this.teams.get(this.users.get(user).team).name;
  }

  userName(id) {
    return this.users.get(id)?.name ?? id;
  }

  channelName(id) {
    return this.channels.get(id)?.name ?? id;
  }

  // As a person says where they are: `#team`, or who they talk with.
  placeName(channel) {
    if (channel.kind !== "im") return `#${channel.name}`;
    const other = channel.members.find((member) => member !== this.you);
    return this.users.get(other)?.real_name ?? channel.name;
  }
}

const byTs = (messages) => new Map(messages.map((message) => [message.ts, message]));
const inTime = (messages) => messages.sort((one, other) => (one.ts < other.ts ? -1 : 1));
