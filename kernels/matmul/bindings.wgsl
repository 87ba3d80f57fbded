// Of a product whose input is x as it is; binding 0 is x, which each version declares as it reads it.
@group(0) @binding(1) var<storage, read> weight: array<Matrix4>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
