export { remote } from "./remote.js";
export { serve } from "./serve.js";
