/** `bark-webgpu/queue`: books spread over machines, by BullMQ. */
export {};
