// The name of this browser tab, sent as {name}; pages/ui/session.py looks for the run of that name. And, as {narrow}, that its window
// was narrower than {narrow_px} when it was loaded. `mlpRunPage` has the whole page run, which no component within a fragment can: it sends
// {lost}, when a server that knew the page was lost.
//
// A tab keeps a random name for as long as it lives, so that a refresh, which begins a new session, finds its run again. It is kept
// in sessionStorage and not in the address: a link that is passed on must not pass on the run. A duplicated tab begins with a copy
// of that storage: a living tab holds a lock on its name, and who does not get that lock takes another name. Browsers have locks
// only on https and on localhost. Elsewhere, as with http in a classroom's network, a tab asks the others, which answer when they
// are not busy.

const PATIENCE_MS = 1000;
export default function ({ data, setStateValue }) {
  window.mlpNarrow ??= window.innerWidth < data.narrow_px;
  if (window.mlpNarrow) setStateValue("narrow", true);
  window.mlpRunPage = () => setStateValue("lost", Date.now());
  window.mlpTab ??= nameOfThisTab();
  window.mlpTab.then((name) => setStateValue("name", name));
}
async function nameOfThisTab() {
  const hold = navigator.locks ? lock : claim;
  let name = sessionStorage.getItem("mlp-tab");
  if (!/^[0-9a-f]{32}$/.test(name ?? "") || !await hold(name)) {
    name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("mlp-tab", name);
    hold(name, true);
  }
  return name;
}
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
