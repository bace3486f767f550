export { type WebglOptions, webgl } from "./webgl.js";
export type { WebglDevice } from "./webgl-backend.js";
