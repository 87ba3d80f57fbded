/** The page that speaks. */
import "../../bark/web.ts";
import { header } from "./header.ts";
import { registerServiceWorker } from "./offline.ts";
import { SpeakPage } from "./speak_page.ts";
import { text } from "./text.ts";

document.body.prepend(header(text.title, text.tagline, "speak"));
document.querySelector("main")!.append(...new SpeakPage().elements);
void registerServiceWorker();
