export { openWeights } from "../convert/open_weights.ts";
