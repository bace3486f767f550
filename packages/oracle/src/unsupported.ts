/** A case asks for something that the packages do not offer, or that the oracle has no translation for. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/** A case whose program, formula or code must be translated by hand, and is not: it counts neither way. */
export class Untranslated extends Error {
  override readonly name = "Untranslated";
}

/** A case that this backend cannot decide, for a reason that is documented: it is shown and counts neither way. */
export class Undecided extends Error {
  override readonly name = "Undecided";
}

export function unsupported(what: string): never {
  throw new Unsupported(what);
}
