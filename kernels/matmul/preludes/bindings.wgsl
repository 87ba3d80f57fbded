// Bindings of a product whose input is x as it is; each version declares binding 0, x, as it reads it.
// Layout: weight: blocks of four rows by four columns, zero past the edges (engine/formats/matrix_*.wgsl)
//   bias [columns], read if has_bias
//   y [rows, columns]
@group(0) @binding(1) var<storage, read> weight: array<Matrix4>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
