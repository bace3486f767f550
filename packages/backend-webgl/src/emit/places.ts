/*
 * Where the element is that a kernel computes. On a card it is the fragment's place, since gpu.js divides integers to find it; in
 * JavaScript it is what stands here, in the place of the call.
 */

export const places: Readonly<Record<string, { readonly glsl: string; readonly js: string }>> = {
  /** Its number. */
  position: {
    glsl: `float position() { return floor(gl_FragCoord.y) * float(uTexSize.x) + floor(gl_FragCoord.x); }`,
    js: "to_float(this.thread.x)",
  },
  /** Its column and its row, where a result has two axes. */
  column: { glsl: `float column() { return floor(gl_FragCoord.x); }`, js: "to_float(this.thread.x)" },
  row: { glsl: `float row() { return floor(gl_FragCoord.y); }`, js: "to_float(this.thread.y)" },
};

/** A kernel's text with its places in it, as JavaScript has them. */
export function withPlaces(text: string): string {
  return text.replaceAll(/\b(position|column|row)\(\)/g, (_, name: string) => places[name]?.js ?? "");
}
