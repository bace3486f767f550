import type { Example } from "./messages.js";

/** A digit as a picture, with what the network takes it for. */
export function digitElement({ pixels, label, predicted }: Example): HTMLElement {
  const element = document.createElement("div");
  element.className = predicted === label ? "digit" : "digit is-wrong";
  const image = document.createElement("img");
  image.src = `data:image/bmp;base64,${btoa(String.fromCharCode(...bitmap(pixels)))}`;
  image.alt = `A ${label}`;
  const caption = document.createElement("span");
  caption.textContent = String(predicted);
  element.append(image, caption);
  return element;
}

const SIDE = 8;
const HEADER = 54;

/** The pixels as a BMP file, which the browser decodes when it has time; a canvas would wait for the graphics card. */
function bitmap(pixels: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(HEADER + 3 * SIDE * SIDE);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, HEADER, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, SIDE, true);
  // Rows from the top.
  view.setInt32(22, -SIDE, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  pixels.forEach((ink, i) => {
    bytes.fill(Math.round(255 * (1 - 0.9 * ink)), HEADER + 3 * i, HEADER + 3 * (i + 1));
  });
  return bytes;
}
