// The name of this browser tab, sent as {name}; pages/ui/session.py looks for the run of that name. And, as {narrow}, that its window
// was narrower than {narrow_px} when it was loaded. `mlpRunPage` has the whole page run, which no component within a fragment can: it sends
// {lost}, when a server that knew the page was lost.
//
// And it keeps the runs side by side, for a session that does not know them: pages/ui/run/kept_in_browser.py says, as {memory}, where this
// session's are to be had and whether they have changed; those of a session before are sent to it, once, as {kept}.
//
// Where it is asked, as {browser}, it sends under that name a secret that is the same in all tabs of this browser and lasts: by it a class
// (pages/ui/lessons/classes.py) knows its teacher and its students again, who count once.
//
// A tab keeps a random name for as long as it lives, so that a refresh, which begins a new session, finds its run again. It is kept
// in sessionStorage and not in the address: a link that is passed on must not pass on the run. A duplicated tab begins with a copy
// of that storage: a living tab holds a lock on its name, and who does not get that lock takes another name. Browsers have locks
// only on https and on localhost. Elsewhere, as with http in a classroom's network, a tab asks the others, which answer when they
// are not busy.

const PATIENCE_MS = 1000;
const AGAIN_MS = 5000; // what was given may have been lost with the connection
const KEPT = "mlp-kept", BROWSER = "mlp-browser";
let given = -Infinity;
let remembered = Promise.resolve();

export default function ({ data, setStateValue, setTriggerValue }) {
  window.mlpNarrow ??= window.innerWidth < data.narrow_px;
  if (window.mlpNarrow) setStateValue("narrow", true);
  window.mlpRunPage = () => setStateValue("lost", Date.now());
  if (data.browser) setStateValue("browser", secretOfThisBrowser());
  window.mlpTab ??= nameOfThisTab();
  window.mlpTab.then((name) => {
    setStateValue("name", name); // first: whether a run is lost is known to who knows the name
    if (data.memory) remembered = remembered.then(() => remember(data.memory, name, setTriggerValue)).catch(() => {}); // one after the other
  });
}
async function remember({ address, version, heard, run, longest }, name, give) {
  const stored = read();
  const ours = stored?.address === address;
  if (stored && !ours && !heard) {
    if (performance.now() - given < AGAIN_MS) return;
    given = performance.now();
    const lost = stored.tab === name ? stored.run : ""; // the run of the tab that this one is a copy of goes on there
    return give("kept", { kept: String(stored.kept).slice(0, longest + 1), run: lost });
  }
  if (stored ? ours && stored.version === version && stored.run === run : !version && !run) return;
  let kept = ours && stored.version === version ? stored.kept : "";
  if (version && !kept) {
    const answer = await fetch(new URL(`${address}?have=0`, document.baseURI));
    if (answer.status !== 200 || answer.headers.get("content-type") !== "application/octet-stream") return; // not passed on by a host
    kept = await answer.text();
  }
  sessionStorage.setItem(KEPT, JSON.stringify({ address, version, run, tab: name, kept }));
}
function read() {
  const text = sessionStorage.getItem(KEPT);
  if (text === null) return null;
  try {
    const { address, version, run, tab, kept } = JSON.parse(text);
    return { address, version, run, tab, kept };
  } catch {
    return { kept: text };
  }
}
function secretOfThisBrowser() {
  try {
    if (!isName(localStorage.getItem(BROWSER))) localStorage.setItem(BROWSER, newName());
    return localStorage.getItem(BROWSER);
  } catch {
    return (window.mlpBrowser ??= newName()); // it keeps nothing: after a reload it is another
  }
}
async function nameOfThisTab() {
  const hold = navigator.locks ? lock : claim;
  let name = sessionStorage.getItem("mlp-tab");
  if (!isName(name) || !await hold(name)) {
    name = newName();
    sessionStorage.setItem("mlp-tab", name);
    hold(name, true);
  }
  return name;
}
const isName = (text) => /^[0-9a-f]{32}$/.test(text ?? "");
const newName = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
// Both resolve to whether this tab has the name now, and keep it for as long as the tab lives.
function lock(name) {
  return new Promise((answer) => {
    const keep = () => { answer(true); return new Promise(() => {}); };
    const gone = { signal: AbortSignal.timeout(PATIENCE_MS) };  // a tab that is being reloaded lets go of its lock meanwhile
    navigator.locks.request(`mlp-tab ${name}`, gone, keep).catch(() => answer(false));
  });
}
function claim(name, fresh) {
  const tabs = new BroadcastChannel("mlp-tabs");
  return new Promise((answer) => {
    const keep = () => {
      tabs.onmessage = ({ data }) => { if (data.asked === name) tabs.postMessage({ taken: name }); };
      answer(true);
    };
    const own = setTimeout(keep, fresh ? 0 : PATIENCE_MS);
    tabs.onmessage = ({ data }) => { if (data.taken === name) { clearTimeout(own); tabs.close(); answer(false); } };
    tabs.postMessage({ asked: name });
  });
}
