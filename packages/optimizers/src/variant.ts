import { fail, type RuleContext, type RuleState } from "@gradus/core";

/**
 * The name of this step's program: what the host said, or, where the step is known (outside of `compile`), what the rule
 * says. Undefined if the step has to do for all of them.
 */
export function phaseOf<P>(
  variant: ((t: number) => string) | undefined,
  { step }: RuleState<P>,
  context: RuleContext<P>,
): string | undefined {
  if (variant === undefined) return undefined;
  return context.variant ?? (step.isSymbolic ? undefined : variant(step.value));
}

/** The variants of several rules as one; undefined if none has any. */
export function joinVariants(parts: Readonly<Record<string, string | undefined>>): string | undefined {
  const known = Object.entries(parts).filter(([, variant]) => variant !== undefined);
  return known.length === 0 ? undefined : JSON.stringify(Object.fromEntries(known));
}

/** The variant of one of the rules that {@link joinVariants} joined, as a part of its context. */
export function variantOf(
  rule: string,
  joined: string | undefined,
  part: string,
): { readonly variant?: string } {
  if (joined === undefined) return {};
  try {
    const variant: unknown = JSON.parse(joined)[part];
    return typeof variant === "string" ? { variant } : {};
  } catch {
    return fail(
      "invalid-argument",
      `${rule}: the context has the variant ${joined}, which is none of this rule's. Ask its variant(state)`,
    );
  }
}
