// A board to draw on: 28 × 28 pixels, drawn large.
// pages/ui/run/own_picture.py sends {pixels, alt, words}: the drawing to begin with, if any, what it is, and the words of the controls; the
// end of every stroke sends pixels back.

const SIDE = 28;
const PAPER = [0x15, 0x1b, 0x26]; // 0 and 255, as in pages/figures/pictures.py
const INK = [0xf4, 0xf6, 0xfa];
const BRUSHES = { fine: 0.5, medium: 1.3, broad: 3 }; // radius, in pixels
const INKS = { white: 255, gray: 150, eraser: 0 };
const STEP = 0.25; // pixels between two dabs of the brush
const MOST_UNDOS = 50;

const STYLE = `
  .drawing { font-family: var(--st-font); color: var(--st-text-color); max-width: 22rem; }
  .drawing canvas { width: 100%; aspect-ratio: 1; image-rendering: pixelated; touch-action: none; cursor: crosshair;
    border-radius: var(--st-base-radius); box-shadow: 0 0 0 1px var(--st-border-color); display: block; }
  .drawing [role=group] { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-top: 0.5rem; }
  .drawing button { font: inherit; font-size: 0.85em; color: inherit; background: var(--st-secondary-background-color);
    border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: 0.3rem 0.6rem; min-height: 2.2rem;
    cursor: pointer; }
  .drawing button:hover { border-color: var(--st-primary-color); }
  .drawing button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
  .drawing button[aria-pressed=true] { background: var(--st-primary-color); border-color: var(--st-primary-color); color: #fff; }`;

const boards = new WeakMap(); // the element that Streamlit mounts -> its Board

class Board {
  constructor(parent, pixels) {
    const root = document.createElement("div");
    root.className = "drawing";
    root.innerHTML = `<style>${STYLE}</style><canvas width="${SIDE}" height="${SIDE}" role="img"></canvas>`;
    parent.replaceChildren(root);
    this.canvas = root.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.draw(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, (event) => this.end(event));
    root.append(choices("brush", BRUSHES, "medium", (radius) => (this.radius = radius)));
    root.append(choices("ink", INKS, "white", (ink) => (this.ink = ink)));
    root.append(group("drawing", [button("undo", () => this.undo()), button("clear", () => this.clear())]));
    this.root = root;
    this.pixels = Uint8ClampedArray.from(pixels ?? new Array(SIDE * SIDE).fill(0));
    this.past = [];
    this.show();
  }

  /** A board that is there keeps its drawing: what Python sends comes back after a stroke, when the next may have begun. */
  update(alt, words, send) {
    this.canvas.ariaLabel = alt;
    for (const one of this.root.querySelectorAll("button")) one.textContent = words[one.name];
    for (const one of this.root.querySelectorAll("[role=group]")) one.ariaLabel = words[one.dataset.name];
    this.send = send;
  }

  begin(event) {
    if (!event.isPrimary || event.button !== 0) return; // a second finger draws nothing
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.remember();
    this.cover = new Float32Array(SIDE * SIDE); // how much of each pixel this stroke has covered, 0 to 1
    this.last = this.place(event);
    this.line(this.last);
  }

  draw(event) {
    if (!this.last || !event.isPrimary) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) this.line(this.place(one));
  }

  end(event) {
    if (!this.last || !event.isPrimary) return;
    this.last = undefined;
    this.report();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  /** From the last place to this one. */
  line(to) {
    const [x, y] = this.last;
    const dabs = Math.max(1, Math.ceil(Math.hypot(to[0] - x, to[1] - y) / STEP));
    for (let i = 1; i <= dabs; i++) this.dab(x + ((to[0] - x) * i) / dabs, y + ((to[1] - y) * i) / dabs);
    this.last = to;
    this.show();
  }

  /** A disc whose edge fades over one pixel, so that a slanted line has no steps. Dabs of one stroke do not add up. */
  dab(x, y) {
    const { cover, ink, pixels, radius } = this;
    const before = this.past.at(-1);
    const within = (value) => Math.min(SIDE - 1, Math.max(0, value));
    for (let row = within(Math.floor(y - radius - 1)); row <= within(Math.ceil(y + radius)); row++) {
      for (let column = within(Math.floor(x - radius - 1)); column <= within(Math.ceil(x + radius)); column++) {
        const at = row * SIDE + column;
        const depth = radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y);
        cover[at] = Math.max(cover[at], Math.min(1, depth));
        pixels[at] = before[at] + (ink - before[at]) * cover[at];
      }
    }
  }

  remember() {
    this.past.push(this.pixels.slice());
    if (this.past.length > MOST_UNDOS) this.past.shift();
  }

  undo() {
    if (!this.past.length) return;
    this.pixels = this.past.pop();
    this.show();
    this.report();
  }

  clear() {
    if (!this.pixels.some(Boolean)) return;
    this.remember();
    this.pixels = new Uint8ClampedArray(SIDE * SIDE);
    this.show();
    this.report();
  }

  show() {
    const image = this.context.createImageData(SIDE, SIDE);
    this.pixels.forEach((value, i) => {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = PAPER[c] + ((INK[c] - PAPER[c]) * value) / 255;
      image.data[4 * i + 3] = 255;
    });
    this.context.putImageData(image, 0, 0);
  }

  report() {
    this.send("pixels", Array.from(this.pixels));
  }
}

function button(name, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.name = name; // whose word comes with every update
  made.addEventListener("click", act);
  return made;
}

function group(name, buttons) {
  const made = document.createElement("div");
  made.role = "group";
  made.dataset.name = name;
  made.append(...buttons);
  return made;
}

/** Buttons of which one is pressed: `act` gets its value, at once and whenever it changes. */
function choices(name, values, first, act) {
  const press = (chosen) => {
    act(values[chosen]);
    for (const one of made.children) one.ariaPressed = String(one.name === chosen);
  };
  const made = group(name, Object.keys(values).map((value) => button(value, () => press(value))));
  press(first);
  return made;
}

export default async function drawing({ data, parentElement, setStateValue }) {
  let board = boards.get(parentElement);
  if (!board) boards.set(parentElement, (board = new Board(parentElement, data.pixels)));
  board.update(data.alt, data.words, setStateValue);
}
