/** The page in which `bench kernels --in-chromium` measures. */
import "../../checkpoint/web/index.ts";
import "../../engine/web/index.ts";

export { work } from "./process/work.ts";
