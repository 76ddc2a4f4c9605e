// Says how a class stands, in words that it asks for beside the pages (pages/ui/updates.py), and has the page run, by {news}, only where
// that has something else to show. pages/ui/lessons/classes.py sends {updates, have, words, period}: where to ask, what the page shows,
// what to say until the first answer, and how often to ask, which is longer in a large class. An answer is {words, period}, or empty where
// the page has to run.

const JITTER = 0.2; // of the period, so that the tabs of a class do not ask all at once
const PATIENCE_MS = 10_000; // a run of the page that takes longer was lost: ask again
const AWAY_MS = 3_000; // until a server that was away may be there again
const watches = new WeakMap(); // the element that Streamlit mounts -> its Watch

class Watch {
  constructor(parent) {
    this.words = document.createElement("p");
    this.words.className = "class-words";
    this.words.setAttribute("role", "status");
    Object.assign(this.words.style, { margin: 0, font: "inherit", fontVariantNumeric: "tabular-nums" });
    parent.replaceChildren(this.words);
    this.seen = () => !document.hidden && this.ask();
    document.addEventListener("visibilitychange", this.seen);
  }

  /** Streamlit calls with what the page sent last also when nothing is new. */
  update(data, send) {
    this.send = send;
    const text = JSON.stringify(data);
    if (text === this.text) return;
    Object.assign(this, { text, data });
    this.say(data);
  }

  say({ words, period }) {
    this.words.textContent = words;
    this.again(period * (1 + JITTER * (2 * Math.random() - 1)));
  }

  again(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), milliseconds);
  }

  async ask() {
    clearTimeout(this.timer);
    if (document.hidden) return; // asked again as soon as somebody looks
    this.again(PATIENCE_MS);
    const { updates, have } = this.data;
    const answer = await fetch(new URL(`${updates}?have=${have}`, document.baseURI)).catch(() => undefined);
    if (have !== this.data.have) return; // the page has run meanwhile
    if (!answer || answer.status >= 500) return this.again(AWAY_MS);
    if (answer.status === 200 && answer.headers.get("content-type") === "application/octet-stream") return this.say(await answer.json());
    if (answer.status === 410 && window.mlpRunPage) return window.mlpRunPage(); // the server began anew, and knows nothing of this page
    if (answer.status !== 204) this.again(AWAY_MS); // a host passes no such address on: the page runs every few seconds instead
    this.send("news", Date.now());
  }

  end() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.seen);
  }
}

export default function classNews({ data, parentElement, setTriggerValue }) {
  let watch = watches.get(parentElement);
  if (!watch) watches.set(parentElement, (watch = new Watch(parentElement)));
  watch.update(data, setTriggerValue);
  // Streamlit also ends a call that a newer one overtook, while the watch lives on: then its place is still on the page.
  return () =>
    setTimeout(() => {
      if (parentElement.isConnected || !watches.delete(parentElement)) return;
      watch.end();
    });
}
