import type { Tensor } from "@gradus/core";

/** Degrees as radians: `x pi / 180`. PyTorch's `deg2rad`. */
export function deg2rad(x: Tensor): Tensor {
  return x.mul(Math.PI / 180);
}

/** Radians as degrees: `x 180 / pi`. PyTorch's `rad2deg`. */
export function rad2deg(x: Tensor): Tensor {
  return x.mul(180 / Math.PI);
}
