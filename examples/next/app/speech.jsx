"use client";

import { useEffect } from "react";

/** Text with buttons that speak it. */
export function Speech({ children, ...attributes }) {
  // An element of the browser: the server sends the text, and the page makes it speak.
  useEffect(() => void import("bark-webgpu/element"), []);
  return <bark-speech {...attributes}>{children}</bark-speech>;
}
