/** An address that may be shown: without user, password, query and fragment, which hold secrets. */
export function shownAddress(url: URL): string {
  return /^https?:$/.test(url.protocol) ? `${url.origin}${url.pathname}` : url.href.slice(0, 100);
}

/** An address without `user:password@`, which fetch refuses, and the header that says the same. */
export function splitCredentials(address: URL): { url: URL; authorization: string | undefined } {
  const url = new URL(address);
  const { username, password } = url;
  if (username === "" && password === "") return { url, authorization: undefined };
  [url.username, url.password] = ["", ""];
  const bytes = new TextEncoder().encode(`${decode(username)}:${decode(password)}`);
  return { url, authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** As decodeURIComponent; a `%` that escapes nothing stays. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
