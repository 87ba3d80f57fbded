// smoke: y = x * x + i over the index i, to see that an adapter computes at all.
// x, y: [n].
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i < arrayLength(&y)) {
    y[i] = x[i] * x[i] + f32(i);
  }
}
