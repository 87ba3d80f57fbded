type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Advice for an address that cannot be reached while the environment names a proxy: Node's fetch uses it from 22.21 and 24
 * on, and only with NODE_USE_ENV_PROXY. Undefined if no proxy applies to the address, or the runtime uses it.
 */
export function proxyAdvice(
  url: URL,
  env: Environment,
  versions: Readonly<Record<string, string | undefined>> = process.versions,
): string | undefined {
  const scheme = url.protocol.slice(0, -1);
  const names = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, "all_proxy", "ALL_PROXY"];
  const name = names.find((name) => env[name]);
  if (name === undefined || versions["deno"] !== undefined || isExcepted(url, env)) return undefined;
  const [major, minor] = (versions["node"] ?? "").split(".").map(Number);
  const canUse = major >= 24 || (major === 22 && minor >= 21);
  const isUsed = canUse && env["NODE_USE_ENV_PROXY"] === "1" && !/^all_/i.test(name);
  if (isUsed) return `check the network, and the proxy that ${name} names`;
  const how = `set NODE_USE_ENV_PROXY=1 and ${scheme.toUpperCase()}_PROXY`;
  return `${name} names a proxy, which is not used: ${canUse ? how : `with Node 22.21 or 24 ${how}, else give a mirror in HF_ENDPOINT or a folder`}`;
}

/** Hosts of NO_PROXY: `*`, a name, or the end of one (`.example.org`), each with or without a port. */
function isExcepted({ hostname, host }: URL, env: Environment): boolean {
  const list = (env["no_proxy"] || env["NO_PROXY"] || "").toLowerCase().split(/[\s,]+/);
  return list.some((entry) => {
    const name = entry.replace(/^\*?\./, "");
    return name !== "" && [hostname, host].some((own) => name === "*" || own === name || own.endsWith(`.${name}`));
  });
}
