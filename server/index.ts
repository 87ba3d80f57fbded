/** `bark-webgpu/server`: speech over HTTP, as OpenAI's clients ask for it. */
export {};
