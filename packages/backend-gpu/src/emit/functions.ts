import { basicFunctions } from "./basic-functions.js";
import { circularFunctions } from "./circular-functions.js";
import { errorFunctions } from "./error-functions.js";
import { exponentialFunctions } from "./exponential-functions.js";
import { gammaFunctions } from "./gamma-functions.js";

/*
 * Functions in WGSL that shaders carry if they need them. WGSL promises neither NaN nor infinity, nor that `exp` is
 * accurate: these look at bits where a comparison may be optimised away, and compute with polynomials (of the Cephes
 * library, S. Moshier, unless said otherwise).
 */

const library: Readonly<Record<string, string>> = {
  ...basicFunctions,
  ...exponentialFunctions,
  ...circularFunctions,
  ...errorFunctions,
  ...gammaFunctions,
  // On the bits: drivers leave conversions there and back out, of a type of 16 bits as of packed halves. Below 2^-14 float16 has
  // the multiples of 2^-24; from 65520 on it is infinite.
  half: `fn half(x: f32) -> f32 {
let bits = bitcast<u32>(x);
let magnitude = bits & 0x7fffffffu;
let sign = bits & 0x80000000u;
if (magnitude > 0x7f800000u) { return x; }
if (magnitude >= 0x477ff000u) { return bitcast<f32>(sign | 0x7f800000u); }
if (magnitude < 0x38800000u) {
let units = u32(round(bitcast<f32>(magnitude) * 16777216f));
return bitcast<f32>(sign | bitcast<u32>(f32(units) * 5.9604644775390625e-8f));
}
return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u);
}`,
  half_of_four:
    "fn half_of_four(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(half(x.x), half(x.y), half(x.z), half(x.w)); }",
};

/** The text of functions and of what they call, each once, callees first. */
export function functionsFor(names: Iterable<string>): string {
  const texts: string[] = [];
  const seen = new Set<string>();
  const add = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = library[name] as string;
    for (const [, callee] of text.matchAll(/([a-z_0-9]+)\(/g)) {
      if (callee !== undefined && callee !== name && Object.hasOwn(library, callee)) add(callee);
    }
    texts.push(text);
  };
  for (const name of names) if (Object.hasOwn(library, name)) add(name);
  return texts.join("\n");
}
