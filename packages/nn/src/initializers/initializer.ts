import type { Key, Shape, Tensor } from "@gradus/core";

/** The first value of a parameter: a function of a key and a shape, such as `heNormal`. */
export type Initializer = (key: Key, shape: Shape) => Tensor;
