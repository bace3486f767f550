import { encodeModule, V128 } from "../wasm/encode.js";
import { FunctionBody, simd } from "../wasm/function-body.js";

let known: boolean | undefined;

/** Whether the engine has `a b + c` as one instruction (relaxed SIMD). On processors without one it is two, rounded twice. */
export function hasFusedMultiply(): boolean {
  if (known === undefined) {
    const body = new FunctionBody({ takes: [V128, V128, V128], gives: [V128] });
    for (let k = 0; k < 3; k++) body.get(k);
    body.simd(simd.fusedF32);
    known = WebAssembly.validate(encodeModule({ functions: [body.finish()] }, false));
  }
  return known;
}
