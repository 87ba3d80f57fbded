/** The lab for kernels: the ladder of `bench kernels` on the visitor's own GPU. */
import "../../../checkpoint/web/index.ts";
import "../../../engine/web/index.ts";
import { header } from "../header.ts";
import { registerServiceWorker } from "../offline.ts";
import { labText } from "../text.ts";
import { LabPage } from "./lab_page.ts";

document.body.prepend(header(labText.title, labText.tagline, "kernels"));
document.querySelector("main")!.append(...new LabPage().elements);
void registerServiceWorker();
