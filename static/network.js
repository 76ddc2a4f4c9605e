// Draws a network: its edges on a canvas, its units and words in SVG above it, in the theme's colors.
// pages/ui/network_drawing.py sends JSON, {drawing, about: {height, alt}}, as bytes; `drawing` is a Drawing of pages/figures/network.py.

const SVG = "http://www.w3.org/2000/svg";
const [GREY, SKY, ORANGE] = ["#8A8F98", "#56B4E9", "#E69F00"]; // of pages/figures/palette.py
const FILLS = { input: GREY, hidden: SKY, output: ORANGE };
const PAPER = [0x15, 0x1b, 0x26]; // 0 and 255, as in pages/figures/pictures.py
const INK = [0xf4, 0xf6, 0xfa];
const SIDE = 28;
const LARGEST_UNIT = 14; // px
const LARGEST_PICTURE = 130; // px, and of the room between the left edge and the inputs:
const PICTURE_SHARE = 0.86;

const STYLE = `
  .network { position: relative; font-family: var(--st-font); color: var(--st-text-color); }
  .network canvas, .network svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
  .network text { fill: var(--st-text-color); text-anchor: middle; dominant-baseline: central; }
  .network image { image-rendering: pixelated; }`;

const drawings = new WeakMap(); // the element that Streamlit mounts -> its NetworkDrawing

class NetworkDrawing {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "network";
    this.root.innerHTML = `<style>${STYLE}</style><canvas aria-hidden="true"></canvas><svg role="img"></svg>`;
    parent.replaceChildren(this.root);
    [this.canvas, this.svg] = this.root.querySelectorAll("canvas, svg");
    this.observer = new ResizeObserver(() => this.root.clientWidth !== this.width && this.draw());
    this.observer.observe(this.root);
  }

  /** Streamlit calls this at every run of the page, and when the theme has changed: the style sheet takes that up by itself. */
  update(text) {
    if (this.text === text) return;
    this.text = text;
    Object.assign(this, JSON.parse(text)); // drawing, about
    this.root.style.height = `${this.about.height}px`;
    this.svg.ariaLabel = this.about.alt;
    this.draw();
  }

  /** Draw it anew in the width that it has; while it is hidden in a tab it has none. */
  draw() {
    const { drawing, about } = this;
    this.width = this.root.clientWidth;
    if (!this.width) return;
    const [from, times] = drawing.wide;
    this.letters = this.width >= from ? times : 1;
    this.tall = about.height / drawing.height;
    this.x = (x) => ((x - drawing.left) / (drawing.right - drawing.left)) * this.width;
    this.y = (y) => y * this.tall;
    this.svg.replaceChildren(...this.picture(), ...drawing.layers.flatMap((layer) => this.units(layer)), ...drawing.labels.map((label) => this.label(label)));
    this.edges();
  }

  /** Places of the ends of every edge, in the order in which weights are sent. */
  *ends() {
    const { layers } = this.drawing;
    for (const [i, right] of layers.entries()) {
      const left = layers[i - 1];
      if (!left || right.layer !== left.layer + 1) continue;
      for (const [from, , unsent] of left.units) {
        for (const [to, , dropped] of right.units) if (!unsent && !dropped) yield [left.x, from, right.x, to];
      }
    }
  }

  edges() {
    const { canvas } = this;
    const pixels = window.devicePixelRatio;
    [canvas.width, canvas.height] = [this.width * pixels, this.about.height * pixels];
    const context = canvas.getContext("2d");
    context.scale(pixels, pixels);
    context.strokeStyle = GREY;
    context.globalAlpha = 0.3;
    context.lineWidth = 0.8;
    context.beginPath();
    for (const [x1, y1, x2, y2] of this.ends()) {
      context.moveTo(this.x(x1), this.y(y1));
      context.lineTo(this.x(x2), this.y(y2));
    }
    context.stroke();
  }

  units({ x, kind, gap, units }) {
    const size = Math.min(LARGEST_UNIT, 0.65 * this.drawing.spacing) * Math.min(1, this.tall);
    const made = units.map(([y, hint, dropped]) => this.unit(this.x(x), this.y(y), size / 2, kind, hint, dropped));
    const dots = gap === null ? [] : [-4, 0, 4].map((offset) => element("circle", { cx: this.x(x), cy: this.y(gap) + offset, r: 1.25, fill: GREY }));
    return [...made, ...dots];
  }

  unit(x, y, r, kind, hint, dropped) {
    const title = element("title", {}, hint);
    if (dropped) {
      const c = r * Math.SQRT1_2;
      const d = `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0M${x - c} ${y - c}l${2 * c} ${2 * c}m0 ${-2 * c}l${-2 * c} ${2 * c}`;
      return element("path", { d, class: "dropped", fill: "transparent", stroke: GREY }, title);
    }
    if (kind === "input") return element("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, fill: FILLS[kind] }, title);
    return element("circle", { cx: x, cy: y, r, fill: FILLS[kind] }, title);
  }

  label([x, y, lines, size, bold, hint]) {
    const letters = size * this.letters;
    const made = element("text", { "font-size": letters, "font-weight": bold ? 700 : 400 });
    lines.forEach((line, i) => {
      const at = this.y(y) + (i - (lines.length - 1) / 2) * 1.25 * letters;
      made.append(element("tspan", { x: this.x(x), y: at }, line));
    });
    if (hint) made.append(element("title", {}, hint));
    return made;
  }

  /** The image that is the input, or an empty grid of its pixels. */
  picture() {
    const { picture, left } = this.drawing;
    if (!picture) return [];
    const side = Math.min(LARGEST_PICTURE * this.tall, PICTURE_SHARE * this.x(2 * picture.x - left));
    const [x, y] = [this.x(picture.x) - side / 2, this.y(picture.y) - side / 2];
    if (picture.pixels) return [element("image", { x, y, width: side, height: side, href: grayImage(picture.pixels) })];
    const lines = Array.from({ length: SIDE + 1 }, (_, i) => (i * side) / SIDE);
    const d = lines.map((at) => `M${x + at} ${y}v${side}M${x} ${y + at}h${side}`).join("");
    return [element("path", { d, fill: "none", stroke: GREY, "stroke-width": 0.4 })];
  }
}

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** 28 × 28 bytes in base64, as the address of a picture. */
function grayImage(encoded) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  [...atob(encoded)].forEach((letter, i) => {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = PAPER[c] + ((INK[c] - PAPER[c]) * letter.charCodeAt(0)) / 255;
    image.data[4 * i + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

export default async function network({ data, parentElement }) {
  let drawing = drawings.get(parentElement);
  if (!drawing) drawings.set(parentElement, (drawing = new NetworkDrawing(parentElement)));
  drawing.update(new TextDecoder().decode(data));
  // Streamlit also ends a call that a newer one overtook, while the drawing lives on: then its place is still on the page.
  return () =>
    setTimeout(() => {
      if (parentElement.isConnected || !drawings.delete(parentElement)) return;
      drawing.observer.disconnect();
    });
}
