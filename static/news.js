// Has the panel in which it stands drawn again when there is something new to see in it and somebody can see it: sends {news}, the newest
// that static/live_run.js has told of. What the panel shows it is told as `data`.

const PAUSE_MS = 1_500; // between two drawings: the panel is read, not watched
const TABS_PX = 60; // of its upper edge no more can be seen than the names of its parts
const panels = new WeakMap(); // the element that Streamlit mounts -> its panel; Streamlit calls again with every change, and ends only the last
let told; // what was told last, so that a panel that is drawn before the curves have caught up with it does not ask again and again
let next = 0; // when it may be told again

class Panel {
  constructor(parent) {
    this.tell = this.tell.bind(this);
    this.observer = new IntersectionObserver((entries) => {
      this.visible = entries.at(-1).isIntersecting;
      this.tell();
    }, { rootMargin: `0px 0px -${TABS_PX}px` });
    this.observer.observe(parent.closest(".st-key-below"));
    window.addEventListener("mlp-news", this.tell);
    this.end = () => {
      clearTimeout(this.timer);
      this.observer.disconnect();
      window.removeEventListener("mlp-news", this.tell);
      panels.delete(parent);
    };
  }

  tell() {
    clearTimeout(this.timer);
    const { mlpNews } = window;
    if (!this.visible || !mlpNews || mlpNews === this.shown || mlpNews === told) return;
    const wait = next - performance.now();
    if (wait > 0) return void (this.timer = setTimeout(this.tell, wait));
    next = performance.now() + PAUSE_MS;
    this.send("news", (told = mlpNews));
  }
}

export default function news({ data, parentElement, setTriggerValue }) {
  const panel = panels.get(parentElement) ?? new Panel(parentElement);
  panels.set(parentElement, panel);
  Object.assign(panel, { shown: new TextDecoder().decode(data), send: setTriggerValue });
  panel.tell();
  return panel.end;
}
