// To the local Slack and back.

// Who sits at the keyboard: one of those who are signed in, until somebody switches.
export const keyboard = { user: null };

export async function act(doing) {
  let response;
  try {
    response = await fetch("page/do", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...doing, by: keyboard.user }),
    });
  } catch {
    return "The playground does not answer. Is it still running?";
  }
  if (response.ok) return null;
  const told = response.headers.get("Content-Type")?.startsWith("application/json");
  return told ? (await response.json()).error : "The playground can't do that.";
}

// Calls `heard` with all there is, and then with whatever happens; after a break with all there is again.
export function listen(heard, broken) {
  const source = new EventSource("page/events");
  source.onmessage = (message) => heard(JSON.parse(message.data));
  source.onerror = () => {
    // The stream also ends when this page was too slow for it. Only one that can't be had again has stopped.
    if (source.readyState === EventSource.CLOSED) {
      broken();
      setTimeout(() => listen(heard, broken), 2000);
    } else {
      setTimeout(() => source.readyState !== EventSource.OPEN && broken(), 1500);
    }
  };
}

// The name of the model, once it is loaded.
export async function model() {
  const response = await fetch("page/model");
  if (!response.ok) throw new Error("not loaded");
  return (await response.json()).answering;
}
