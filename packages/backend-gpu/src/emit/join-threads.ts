import type { Combination } from "./reduction.js";

/**
 * The text that joins the parts of a point's threads, after which all of them have the result in `acc`, and beside it in `at`.
 *
 * It is a tree over neighbours: 0 with 1, 2 with 3, then pairs with pairs. Where a point's threads are the lanes of subgroups, in
 * order, they pass on their parts directly, and only what subgroups make of them goes through memory. The tree is the same, so
 * the result is the same to the last bit whatever the size of subgroups, and without them.
 *
 * The text speaks of `py`, which of the `ny` threads of its point the thread is, and of where they have their places in workgroup
 * memory: it at `slot`, the others `stride` apart from `first` on.
 */
export function joinThreads(
  joined: Combination,
  acc: string,
  at: string,
  options: { readonly subgroups: boolean; fresh(prefix: string): string },
): string {
  const { fresh } = options;
  const hasBeside = joined.beside !== undefined;
  const values = sharedName(joined.type);
  const put = (place: string): string =>
    `${values}[${place}] = ${acc};${hasBeside ? ` shared_at[${place}] = ${at};` : ""}`;
  const get = (place: string): string =>
    `${acc} = ${values}[${place}];${hasBeside ? ` ${at} = shared_at[${place}];` : ""}`;
  const [other, otherAt, step] = [fresh("o"), fresh("o"), fresh("step")];

  const throughMemory = `${put("slot")}
workgroupBarrier();
for (var ${step} = 1u; ${step} < ny; ${step} = ${step} << 1u) {
  if ((py & (2u * ${step} - 1u)) == 0u) {
    let ${other} = ${values}[slot + ${step} * stride];
    ${hasBeside ? `let ${otherAt} = shared_at[slot + ${step} * stride];` : ""}
    ${joined.join(acc, at, other, otherAt)}
    ${put("slot")}
  }
  workgroupBarrier();
}
${get("first")}
workgroupBarrier();`;
  if (!options.subgroups) return throughMemory;

  const [rest, width] = [fresh("rest"), fresh("width")];
  const from = `subgroup_lane & ~(${width} - 1u)`;
  return `if (by_subgroups) {
  var ${rest} = ny;
  loop {
    let ${width} = min(subgroup_size, ${rest});
    for (var ${step} = 1u; ${step} < ${width}; ${step} = ${step} << 1u) {
      let ${other} = subgroupShuffleDown(${acc}, ${step});
      ${hasBeside ? `let ${otherAt} = subgroupShuffleDown(${at}, ${step});` : ""}
      ${joined.join(acc, at, other, otherAt)}
    }
    if (${rest} == ${width}) {
      ${acc} = subgroupShuffle(${acc}, ${from});
      ${hasBeside ? `${at} = subgroupShuffle(${at}, ${from});` : ""}
      break;
    }
    if (py < ${rest} && (py & (${width} - 1u)) == 0u) { ${put(`first + py / ${width}`)} }
    workgroupBarrier();
    ${rest} = ${rest} / ${width};
    ${get(`first + (py & (${rest} - 1u))`)}
    workgroupBarrier();
  }
} else {
${throughMemory}
}`;
}

/** The workgroup memory for values of a type; that of `at` is for what is carried beside them. */
export function sharedName(type: string): string {
  return `shared_${type}`;
}
