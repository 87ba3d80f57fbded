import { isPage } from "../runtime.ts";

/** A hub with `someone/nano`: on this machine, of a page at its server. */
export interface TestHub {
  url: string;
  close(): Promise<void>;
}

export async function openTestHub(): Promise<TestHub> {
  if (isPage) return { url: await (await fetch("/hub-url")).text(), close: async () => undefined };
  const { repositoryOf, serveHub } = await import("./hub_server.ts");
  return await serveHub({ "someone/nano": await repositoryOf("models/nano") });
}
