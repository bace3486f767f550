import { type GoldenNumber, type GoldenTensor, isGoldenTensor, isRecord, type Tolerance } from "./values.js";

export type Tensors = Readonly<Record<string, GoldenTensor>>;
/** `null`: not given, or no gradient. */
export type MaybeTensors = Readonly<Record<string, GoldenTensor | null>>;
export type OptionValues = Readonly<Record<string, unknown>>;

/** What every case has. */
export interface Case {
  readonly id: string;
  readonly dtype?: string;
  readonly tolerance?: Tolerance;
  readonly kink?: boolean;
  readonly quirk?: boolean;
  readonly note?: string;
}

export interface LossCase extends Case {
  readonly loss: string;
  readonly options: OptionValues;
  readonly inputs: MaybeTensors;
  readonly reductions: Readonly<Record<string, LossReduction>>;
  /** The mathematical value without reduction, where PyTorch's is another. */
  readonly exact_none?: GoldenTensor;
}

export interface LossReduction {
  readonly value: GoldenTensor;
  readonly cotangent: GoldenTensor;
  readonly grads: MaybeTensors;
  readonly value64?: GoldenTensor;
  readonly grads64?: MaybeTensors;
  readonly exact_none?: GoldenTensor;
}

export interface OptimizerCase extends Case {
  readonly optimizer: string;
  readonly options: OptionValues;
  readonly params: readonly GoldenTensor[];
  readonly param_groups?: readonly (OptionValues & { readonly params: readonly number[] })[];
  readonly steps: number;
  readonly gradients:
    | { readonly kind: "given"; readonly steps: readonly (readonly (GoldenTensor | null)[])[] }
    | { readonly kind: "objective"; readonly name: string; readonly data: OptionValues };
  readonly expected: {
    readonly params: readonly (readonly GoldenTensor[])[];
    readonly losses?: readonly GoldenNumber[];
  };
}

export interface SchedulerCase extends Case {
  readonly scheduler: string;
  readonly options: OptionValues;
  readonly base_lrs: readonly number[];
  readonly optimizer: string;
  readonly optimizer_options: OptionValues;
  readonly steps: number;
  /** What ReduceLROnPlateau is told at each step. */
  readonly metrics?: readonly GoldenNumber[];
  readonly expected: Readonly<Record<string, readonly (readonly GoldenNumber[])[]>>;
}

export interface ClippingCase extends Case {
  readonly function: string;
  readonly options: OptionValues;
  readonly grads: readonly (GoldenTensor | null)[];
  readonly expected: {
    readonly grads: readonly (GoldenTensor | null)[];
    readonly total_norm?: GoldenNumber | GoldenTensor;
  };
}

export interface AutogradCase extends Case {
  readonly op: string;
  readonly options: OptionValues;
  readonly inputs: MaybeTensors;
  readonly outputs: readonly GoldenTensor[];
  readonly cotangents?: readonly (GoldenTensor | null)[];
  readonly grads?: MaybeTensors;
  readonly outputs64?: readonly GoldenTensor[];
  readonly grads64?: MaybeTensors;
}

export interface ProgramCase extends Case {
  readonly code: readonly string[];
  readonly inputs: Tensors;
  readonly out: Readonly<Record<string, GoldenTensor | boolean | number>>;
}

export type SecondOrderCase = Case &
  (
    | {
        readonly kind: "jvp";
        readonly op: string;
        readonly options: OptionValues;
        readonly inputs: MaybeTensors;
        readonly tangents: Tensors;
        readonly outputs: readonly GoldenTensor[];
        readonly jvp: readonly GoldenTensor[];
      }
    | {
        readonly kind: "hvp";
        readonly op: string;
        readonly options: OptionValues;
        readonly inputs: MaybeTensors;
        readonly cotangents: readonly (GoldenTensor | null)[];
        readonly value: GoldenTensor;
        readonly grads: Tensors;
        readonly vector: Tensors;
        readonly hvp: Tensors;
      }
    | {
        readonly kind: "hessian";
        readonly formula: string;
        readonly inputs: Tensors;
        readonly wrt: readonly string[];
        readonly value: GoldenTensor;
        readonly grad: GoldenTensor;
        readonly hessian: GoldenTensor;
      }
    | {
        readonly kind: "derivatives";
        readonly formula: string;
        readonly inputs: Tensors;
        readonly derivatives: readonly GoldenTensor[];
      }
    | {
        readonly kind: "jacobian";
        readonly formula: string;
        readonly inputs: Tensors;
        readonly output: GoldenTensor;
        readonly jacobian: GoldenTensor;
      }
  );

export interface ErrorCase extends Case {
  readonly code: string;
  readonly why: string;
}

export interface TrainingCase extends Case {
  readonly inputs: GoldenTensor;
  readonly targets: GoldenTensor;
  readonly layers: readonly TrainingLayer[];
  readonly squeeze_last?: boolean;
  readonly loss: { readonly name: string; readonly options: OptionValues };
  readonly optimizer: { readonly name: string; readonly options: OptionValues };
  readonly scheduler?: { readonly name: string; readonly options: OptionValues } | null;
  readonly clip_grad_norm_?: number | { readonly max_norm: number } | null;
  readonly batches: readonly (readonly number[])[];
  readonly first_gradients: MaybeTensors;
  readonly expected: Readonly<Record<string, unknown>> & {
    readonly losses: readonly GoldenNumber[];
    readonly gradient_norms?: readonly GoldenNumber[];
    readonly parameters: Tensors;
    readonly outputs: GoldenTensor;
  };
}

export interface TrainingLayer {
  readonly kind: string;
  readonly weight?: GoldenTensor | null;
  readonly bias?: GoldenTensor | null;
  readonly options?: OptionValues;
}

type Test = (value: unknown) => boolean;
/** What a field must be, as messages say it. */
type Field = readonly [what: string, test: Test];

const text: Field = ["a string", (value) => typeof value === "string"];
const count: Field = ["a whole number", (value) => Number.isInteger(value)];
const record: Field = ["an object", isRecord];
const list: Field = ["a list", Array.isArray];
const tensor: Field = ["a tensor", isGoldenTensor];
const named: Field = [
  "an object with a name and options",
  (value) => isRecord(value) && typeof value.name === "string" && isRecord(value.options),
];

/** The fields without which a case cannot be run, by kind of case. */
const required = {
  losses: { loss: text, options: record, inputs: record, reductions: record },
  optimizers: {
    optimizer: text,
    options: record,
    params: list,
    steps: count,
    gradients: record,
    expected: record,
  },
  schedulers: {
    scheduler: text,
    options: record,
    base_lrs: list,
    optimizer: text,
    optimizer_options: record,
    steps: count,
    expected: record,
  },
  clipping: { function: text, options: record, grads: list, expected: record },
  autograd: { op: text, options: record, inputs: record, outputs: list },
  programs: { code: list, inputs: record, out: record },
  jvp: { op: text, options: record, inputs: record, tangents: record, outputs: list, jvp: list },
  hvp: {
    op: text,
    options: record,
    inputs: record,
    cotangents: list,
    value: tensor,
    grads: record,
    vector: record,
    hvp: record,
  },
  hessian: { formula: text, inputs: record, wrt: list, value: tensor, grad: tensor, hessian: tensor },
  derivatives: { formula: text, inputs: record, derivatives: list },
  jacobian: { formula: text, inputs: record, output: tensor, jacobian: tensor },
  rejected: { code: text, why: text },
  accepted: { code: text, why: text },
  e2e: {
    inputs: tensor,
    targets: tensor,
    layers: list,
    loss: named,
    optimizer: named,
    batches: list,
    first_gradients: record,
    expected: record,
  },
} satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

export type CaseKind = keyof typeof required;

/**
 * What kind of case it is: the section's name where that says it, else told by its fields, as several files have a
 * section `cases`. Undefined if the schema has no such case.
 */
export function kindOf(section: string, fields: Readonly<Record<string, unknown>>): CaseKind | undefined {
  if (section !== "cases") return isKind(section) ? section : undefined;
  if ("reductions" in fields) return "losses";
  if ("layers" in fields) return "e2e";
  if (typeof fields.kind === "string") return isKind(fields.kind) ? fields.kind : undefined;
  return "op" in fields ? "autograd" : undefined;
}

function isKind(name: string): name is CaseKind {
  return Object.hasOwn(required, name);
}

/** The first field that is missing or wrong, in words. */
export function problemOf(kind: CaseKind, fields: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, [what, test]] of Object.entries<Field>(required[kind])) {
    if (!test(fields[name])) return `${name} must be ${what}`;
  }
  return undefined;
}
