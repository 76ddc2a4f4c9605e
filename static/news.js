// Has the panel in which it stands drawn again when there is something new to see in it and somebody can see it: sends {news}, the newest
// that static/live_run.js has told of. What the panel shows it is told as `data`.

const PAUSE_MS = 1_500; // between two drawings: the panel is read, not watched
const TABS_PX = 60; // of its upper edge no more can be seen than the names of its parts
let told; // what was told last, so that a panel that is drawn before the curves have caught up with it does not ask again and again
let next = 0; // when it may be told again

export default function news({ data, parentElement, setTriggerValue }) {
  const shown = new TextDecoder().decode(data);
  let visible = false;
  let timer;
  const tell = () => {
    clearTimeout(timer);
    const { mlpNews } = window;
    if (!visible || !mlpNews || mlpNews === shown || mlpNews === told) return;
    const wait = next - performance.now();
    if (wait > 0) return void (timer = setTimeout(tell, wait));
    next = performance.now() + PAUSE_MS;
    setTriggerValue("news", (told = mlpNews));
  };
  const changed = (entries) => {
    visible = entries.at(-1).isIntersecting;
    tell();
  };
  const observer = new IntersectionObserver(changed, { rootMargin: `0px 0px -${TABS_PX}px` });
  observer.observe(parentElement.closest(".st-key-below"));
  window.addEventListener("mlp-news", tell);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    window.removeEventListener("mlp-news", tell);
  };
}
